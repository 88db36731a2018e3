//! Record what an attempt to pay came to.

use florin_kernel::cx::Cx;
use florin_kernel::function::Record;
use florin_kernel::stop::Stop;

use crate::charge_card::ChargeCard;
use crate::events::{ACTION_REQUIRED, AUTHORIZED, DECLINED, NEEDS_REVIEW, SUCCEEDED};
use crate::look_up_charge::LookUpCharge;
use crate::payment::{AttemptId, CaptureMethod, Payment, Status};
use crate::provider::ChargeOutcome;
use crate::refusals::CANCEL_FAILED;
use crate::void_charge::{Because, VoidCharge};

/// The recording command of [`ChargeCard`].
pub(crate) struct RecordCharge;

impl Record for RecordCharge {
    const NAME: &'static str = "payments.record_charge";
    type Effect = ChargeCard;

    async fn run(effect: ChargeCard, outcome: ChargeOutcome, cx: &mut Cx) -> Result<(), Stop> {
        let payment = Payment::lock(cx, effect.payment).await?;
        record(payment, effect.attempt, outcome, Heard::WhenCharged, cx).await
    }

    async fn unresolved(effect: ChargeCard, cx: &mut Cx) -> Result<(), Stop> {
        unresolved(Payment::lock(cx, effect.payment).await?, cx).await
    }
}

/// When the provider said what a charge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    WhenCharged,
    WhenAsked,
}

/// The change that an outcome makes, whether the charge was made or asked about.
pub(crate) async fn record(
    payment: Payment,
    attempt: AttemptId,
    outcome: ChargeOutcome,
    heard: Heard,
    cx: &mut Cx,
) -> Result<(), Stop> {
    finish_attempt(attempt, &outcome, cx).await?;
    // A payment that is not waiting for this attempt hears of a charge it does not expect: a person must look.
    let outcome = match (payment.status, payment.attempt, outcome) {
        (Status::Processing, Some(current), outcome) if current == attempt => outcome,
        (_, _, ChargeOutcome::Declined { .. }) => return Ok(()),
        (_, _, outcome) => ChargeOutcome::Contradicts { charge: charge_of(&outcome).unwrap_or_default() },
    };
    let outcome = as_asked(payment.capture_method, outcome);
    let now = cx.now();
    let (event, next) = match outcome {
        ChargeOutcome::Succeeded { charge } => (SUCCEEDED, payment.succeeded(charge)?),
        ChargeOutcome::Authorized { charge } => (AUTHORIZED, payment.authorized(charge, now)?),
        ChargeOutcome::ActionRequired { charge, url } => return wait(payment, charge, url, cx).await,
        ChargeOutcome::Declined { decline_code } => (DECLINED, payment.declined(&decline_code)?),
        ChargeOutcome::Contradicts { charge } => {
            return contradicted(payment, attempt, charge, heard, cx).await;
        }
    };
    let next = next.save(cx).await?;
    cx.emit(event, next.id, next.version, &next.changed())
}

/// An outcome in the mode that was asked for: what was to be reserved and was taken, or the other way round, is for a
/// person.
fn as_asked(method: CaptureMethod, outcome: ChargeOutcome) -> ChargeOutcome {
    match (method, outcome) {
        (CaptureMethod::Automatic, ChargeOutcome::Authorized { charge })
        | (CaptureMethod::Manual, ChargeOutcome::Succeeded { charge }) => {
            ChargeOutcome::Contradicts { charge }
        }
        (CaptureMethod::Automatic | CaptureMethod::Manual, outcome) => outcome,
    }
}

/// The provider contradicts us, and the money may be taken: a person must look. The payment keeps the charge, and the
/// provider is asked about it once more; a look-up that hears the same is left to that person, who can want it again.
/// So is a charge that the payment does not wait for.
async fn contradicted(
    payment: Payment,
    attempt: AttemptId,
    charge: String,
    heard: Heard,
    cx: &mut Cx,
) -> Result<(), Stop> {
    let waits = payment.status == Status::Processing && payment.attempt == Some(attempt);
    let look_up = waits && heard == Heard::WhenCharged;
    if !look_up {
        cx.needs_review(format!("the provider's charge {charge} contradicts {}", payment.id));
        if payment.needs_review && (!waits || payment.charge.as_ref() == Some(&charge)) {
            return Ok(());
        }
    }
    let next = if waits { payment.contradicted(charge) } else { payment.needs_review() };
    let next = next.save(cx).await?;
    if look_up {
        LookUpCharge::ask(&next, cx)?;
    }
    cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed())
}

/// The customer must authenticate: it is waited for, for a day; then the charge is given up.
async fn wait(payment: Payment, charge: String, url: String, cx: &mut Cx) -> Result<(), Stop> {
    let now = cx.now();
    let release_refused = payment.error_code.as_deref() == Some(CANCEL_FAILED.code);
    let abandoned = payment.is_abandoned(now);
    if abandoned && !release_refused {
        return VoidCharge::ask(&payment, charge, Because::Abandoned, cx);
    }
    // To be asked to do what one was asked before is no news.
    let known = payment.action_url.as_ref() == Some(&url);
    let news = !known || payment.needs_review || payment.error_code.is_some();
    let next = payment.action_required(charge, url, now)?;
    // Neither authenticated nor released after a day: nobody asks again by itself.
    let (event, next) = if abandoned { (NEEDS_REVIEW, next.needs_review()) } else { (ACTION_REQUIRED, next) };
    let next = next.save(cx).await?;
    if news { cx.emit(event, next.id, next.version, &next.changed()) } else { Ok(()) }
}

/// The change when the provider's answer stays away.
pub(crate) async fn unresolved(payment: Payment, cx: &mut Cx) -> Result<(), Stop> {
    let next = payment.needs_review().save(cx).await?;
    cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed())
}

fn charge_of(outcome: &ChargeOutcome) -> Option<String> {
    match outcome {
        ChargeOutcome::Succeeded { charge }
        | ChargeOutcome::Authorized { charge }
        | ChargeOutcome::ActionRequired { charge, .. }
        | ChargeOutcome::Contradicts { charge } => Some(charge.clone()),
        ChargeOutcome::Declined { .. } => None,
    }
}

async fn finish_attempt(attempt: AttemptId, outcome: &ChargeOutcome, cx: &mut Cx) -> Result<(), Stop> {
    let (tenant, now) = (cx.tenant(), cx.now());
    let name = match outcome {
        ChargeOutcome::Succeeded { .. } => "succeeded",
        ChargeOutcome::Authorized { .. } => "authorized",
        ChargeOutcome::ActionRequired { .. } => "action_required",
        ChargeOutcome::Declined { .. } => "declined",
        ChargeOutcome::Contradicts { .. } => "contradicts",
    };
    cx.sql(
        "UPDATE payment_attempts
         SET outcome = $3, charge = $4, finished_at = $5
         WHERE tenant = $1 AND id = $2",
    )
    .bind(tenant)
    .bind(attempt)
    .bind(name)
    .bind(charge_of(outcome))
    .bind(now)
    .run()
    .await?;
    Ok(())
}
