//! The deployment moves to another address, or has two, while a charge is under way.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::caller::TenantId;
use florin_kernel::db::Wall;
use florin_kernel::rows::effects;
use florin_kernel::service::Service;
use florin_testkit::suite::{Suite, on_each_database};
use serde_json::Value;

use crate::shop::{SERVICES, asked, at_provider, processing, stands};

const ELSEWHERE: &str = "http://elsewhere.test";

/// Lets whoever held the charge be gone, and sweeps where the deployment is now.
async fn swept(suite: &Suite, elsewhere: &Arc<Service>) {
    suite.advance(effects::LEASE + Duration::from_secs(1));
    assert_eq!(elsewhere.sweep(1_000).await.expect("the effects are read"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_answer_was_lost_is_found_again_from_another_address() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = processing(&suite, &shop).await;
        swept(&suite, &suite.elsewhere("payments", ELSEWHERE)).await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_an_earlier_release_asked_for_is_sent_with_the_address_of_whoever_sends_it() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        // The earlier release charged it from this address, and kept the path alone.
        let id = processing(&suite, &shop).await;
        let here = suite.service("payments");
        let tenant: TenantId = "shop".parse().unwrap();
        let mut tx = here.db.begin(Wall::Tenant(&tenant)).await.unwrap();
        let row = tx.sql("SELECT input FROM florin_effects WHERE tenant = $1 AND subject = $2");
        let (input,): (String,) = row.bind(tenant.clone()).bind(id.clone()).one().await.unwrap();
        let mut input: Value = serde_json::from_str(&input).unwrap();
        assert!(input.as_object_mut().unwrap().remove("return_url").is_some());
        let update = tx.sql("UPDATE florin_effects SET input = $3 WHERE tenant = $1 AND subject = $2");
        update.bind(tenant.clone()).bind(id.clone()).bind(input.to_string()).run().await.unwrap();
        tx.commit().await.unwrap();
        swept(&suite, here).await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
    })
    .await;
}
