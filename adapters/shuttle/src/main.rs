//! Started by Shuttle's runtime, which asks the platform for the project's secrets first.

use florin_shuttle::Suite;
use shuttle_runtime::SecretStore;

#[shuttle_runtime::main]
async fn florin(#[shuttle_runtime::Secrets] secrets: SecretStore) -> Result<Suite, shuttle_runtime::Error> {
    Suite::of(secrets)
}
