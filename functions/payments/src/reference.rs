//! The merchant's own name for a thing: unique within the tenant for ever.

use florin_kernel::cx::Cx;
use florin_kernel::stop::Stop;

use crate::refusals::REFERENCE_TAKEN;

/// Things that have references of their own.
#[derive(Clone, Copy)]
pub(crate) enum Named {
    Payment,
    Refund,
}

/// The refusal of a reference that stands already, naming the thing that has it.
pub(crate) async fn taken(cx: &mut Cx, named: Named, reference: Option<&str>) -> Result<Stop, Stop> {
    let (noun, member, sql) = match named {
        Named::Payment => (
            "payment",
            "payment_id",
            "SELECT id
             FROM payments
             WHERE tenant = $1 AND reference = $2",
        ),
        Named::Refund => (
            "refund",
            "refund_id",
            "SELECT id
             FROM refunds
             WHERE tenant = $1 AND reference = $2",
        ),
    };
    let tenant = cx.tenant();
    let (id,): (String,) = cx.sql(sql).bind(tenant).bind(reference.map(str::to_owned)).one().await?;
    Ok(REFERENCE_TAKEN
        .because(format!("the {noun} {id} has this reference"))
        .at("/reference")
        .with(member, id)
        .into())
}
