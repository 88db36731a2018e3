//! A query's way: one snapshot, read only, nothing recorded.

use super::{HttpCall, change, guarded, input};
use crate::answer::{Answered, Rendered};
use crate::caller::Caller;
use crate::cx::View;
use crate::db::Wall;
use crate::function::{Function, QueryRoom};
use crate::problem::{Problem, codes};
use crate::service::Service;
use crate::stop::Stop;

impl Service {
    pub(super) async fn query(
        &self,
        function: &Function,
        room: &QueryRoom,
        call: &HttpCall,
        caller: Caller,
    ) -> Result<Answered, Problem> {
        let input = input(&room.at, call)?;
        let list = Some(input.list_of(function.name));
        let trace_id = call.trace_id();
        let reading = async {
            let tx = self.db.read(Wall::Tenant(&caller.tenant)).await?;
            let mut view = View { tx, caller: caller.clone(), now: self.clock.now(), list };
            (room.run)(&input, &mut view, &trace_id).await
        };
        match change::in_time(call.deadline, guarded(reading)).await {
            Ok(Rendered::Now(answered)) => Ok(answered),
            Ok(Rendered::Waiting { .. }) => Err(change::internal("a query does not wait")),
            Err(Stop::Refused(problem)) => Err(problem),
            Err(Stop::Retry { why, .. }) => Err(codes::UNAVAILABLE.because(why)),
            Err(Stop::Fault(fault)) => Err(change::fault_problem(&fault)),
        }
    }
}
