//! A route with its scope for each HTTP operation, and none besides.

use std::collections::BTreeSet;

use florin_kernel::catalog::By;
use florin_kernel::door::Access;
use serde_json::Value;

use crate::aws::Aws;
use crate::entries;

async fn api(aws: &Aws) -> Value {
    let apis = aws.get("apigateway", "/v2/apis").await;
    let apis = apis["items"].as_array().expect("a list");
    assert_eq!(apis.len(), 1);
    apis[0].clone()
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| one.as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn each_http_operation_has_a_route_with_its_scope_and_nothing_else_has_one() {
    let aws = Aws::here();
    let api = api(&aws).await;
    let id = api["apiId"].as_str().expect("an id");
    let there = aws.get("apigateway", &format!("/v2/apis/{id}/routes")).await;
    let there: BTreeSet<(String, String, Vec<String>)> = there["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|route| {
            let text = |name: &str| route[name].as_str().unwrap_or_default().to_owned();
            assert!(text("target").starts_with("integrations/"), "{route}");
            (text("routeKey"), text("authorizationType"), texts(&route["authorizationScopes"]))
        })
        .collect();
    let declared: BTreeSet<_> = entries()
        .filter_map(|entry| match entry.by {
            By::Door(door) => {
                let key = format!("{} {}", door.method.as_str(), door.path);
                let (by, scopes) = match door.access {
                    Access::Scope(scope) => ("JWT", vec![scope.to_owned()]),
                    Access::Public => ("NONE", vec![]),
                };
                Some((key, by.to_owned(), scopes))
            }
            By::Events(_) | By::Schedule(_) => None,
        })
        .collect();
    assert_eq!(there, declared);
}

#[tokio::test]
async fn tokens_are_asked_of_the_one_authorizer_for_its_issuer_and_audience() {
    let aws = Aws::here();
    let api = api(&aws).await;
    let id = api["apiId"].as_str().expect("an id");
    let routes = aws.get("apigateway", &format!("/v2/apis/{id}/routes")).await;
    let routes = routes["items"].as_array().expect("a list");
    let asking: Vec<_> = routes.iter().filter(|route| route["authorizationType"] == "JWT").collect();
    let one = asking[0]["authorizerId"].as_str().expect("an authorizer");
    assert!(asking.iter().all(|route| route["authorizerId"] == one), "{routes:?}");
    let authorizer = aws.get("apigateway", &format!("/v2/apis/{id}/authorizers/{one}")).await;
    assert_eq!(authorizer["authorizerType"], "JWT");
    let trusted = &authorizer["jwtConfiguration"];
    assert_eq!(trusted["issuer"], "https://issuer.example.com");
    assert_eq!(texts(&trusted["audience"]), ["florin"]);
}

#[tokio::test]
async fn every_integration_speaks_payload_format_2() {
    let aws = Aws::here();
    let api = api(&aws).await;
    let id = api["apiId"].as_str().expect("an id");
    let integrations = aws.get("apigateway", &format!("/v2/apis/{id}/integrations")).await;
    let integrations = integrations["items"].as_array().expect("a list");
    assert!(!integrations.is_empty());
    for integration in integrations {
        assert_eq!(integration["payloadFormatVersion"], "2.0", "{integration}");
        assert!(
            integration["integrationUri"].as_str().is_some_and(|uri| uri.contains(":live/")),
            "{integration}"
        );
    }
}
