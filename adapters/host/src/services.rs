//! Every service of this binary.

use florin_kernel::service::Definition;

/// The services that the build chose, by Cargo feature.
pub const SERVICES: &[&Definition] = &[
    #[cfg(feature = "payments")]
    &florin_payments::SERVICE,
    #[cfg(feature = "audit")]
    &florin_audit::SERVICE,
];
