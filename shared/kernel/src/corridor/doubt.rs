//! A schema that nobody has seen, because the database was away when the process started: nothing is done on it.

use std::sync::atomic::Ordering;

use crate::db::{DbResult, Trouble};
use crate::problem::{Problem, codes};
use crate::service::Service;

impl Service {
    /// Says that nobody knows whether the schema fits; the first look that finds it so ends the doubt.
    pub fn doubt_schema(&self) {
        self.doubted.store(true, Ordering::SeqCst);
    }

    /// Whether nobody knows yet if the schema fits.
    pub fn doubts_schema(&self) -> bool {
        self.doubted.load(Ordering::SeqCst)
    }

    /// Refuses a schema this binary cannot serve.
    pub async fn check_schema(&self) -> DbResult<()> {
        self.db.check_schema(&self.definition.modules()).await?;
        self.doubted.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Looks at a schema in doubt before something is done on it: a process that is frozen between requests has
    /// no other time to.
    pub(super) async fn schema_fits(&self) -> Result<(), Problem> {
        if !self.doubts_schema() {
            return Ok(());
        }
        let Err(error) = Box::pin(self.check_schema()).await else { return Ok(()) };
        let name = self.name();
        let why = if error.trouble() == Trouble::Away {
            tracing::warn!(service.name = name, error.message = %error, "nobody can look at this schema yet");
            "the database is away or busy"
        } else {
            tracing::error!(service.name = name, error.message = %error, "nothing is done on this schema");
            "the database is not as this release needs it"
        };
        Err(codes::UNAVAILABLE.because(why).retry_after(std::time::Duration::from_secs(1)))
    }
}
