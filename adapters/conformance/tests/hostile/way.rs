//! The ways by which a request reaches a process.

use florin_conformance::lambda::Front;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A container, HTTP/1.1.
    ContainerH1,
    /// A container, HTTP/2 with prior knowledge.
    ContainerH2c,
    /// A Knative service, HTTP/1.1.
    KnativeH1,
    /// A Knative service, HTTP/2 with prior knowledge.
    KnativeH2c,
    /// A Lambda function, behind this front.
    Lambda(Front),
}

pub(crate) const REST_API: Way = Way::Lambda(Front::RestApi);
pub(crate) const HTTP_API: Way = Way::Lambda(Front::HttpApi);
pub(crate) const FUNCTION_URL: Way = Way::Lambda(Front::FunctionUrl);
pub(crate) const LOAD_BALANCER: Way = Way::Lambda(Front::LoadBalancer);
pub(crate) const PLAIN_LOAD_BALANCER: Way = Way::Lambda(Front::PlainLoadBalancer);

/// All of them.
pub(crate) const ALL: [Way; 9] = [
    Way::ContainerH1,
    Way::ContainerH2c,
    Way::KnativeH1,
    Way::KnativeH2c,
    REST_API,
    HTTP_API,
    FUNCTION_URL,
    LOAD_BALANCER,
    PLAIN_LOAD_BALANCER,
];

/// Those where bytes of HTTP/1.1 reach us.
pub(crate) const H1: [Way; 2] = [Way::ContainerH1, Way::KnativeH1];
/// Those where frames of HTTP/2 reach us.
pub(crate) const H2: [Way; 2] = [Way::ContainerH2c, Way::KnativeH2c];
/// Those where an event reaches us.
pub(crate) const FUNCTION: [Way; 5] = [REST_API, HTTP_API, FUNCTION_URL, LOAD_BALANCER, PLAIN_LOAD_BALANCER];
/// Those that join repeated header fields with commas.
pub(crate) const JOINING: [Way; 2] = [HTTP_API, FUNCTION_URL];
