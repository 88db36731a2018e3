//! Which functions and jobs of this binary a process serves: names, and prefixes that end with `*`.

use florin_kernel::corridor::KernelJob;
use florin_kernel::service::Definition;

use crate::config::Config;
use crate::deployment::HostError;

/// The services that have a function or a job this process serves.
///
/// # Errors
/// `FLORIN_FUNCTIONS` names what this binary does not have: such a process would silently serve less than meant.
pub fn chosen(config: &Config) -> Result<Vec<&'static Definition>, HostError> {
    let wanted = config.functions();
    for one in &wanted {
        if !config.services().iter().any(|definition| chooses(one, definition)) {
            return Err(HostError(format!(
                "FLORIN_FUNCTIONS: {one} chooses no function of this binary{}",
                nearest(config.services(), one)
            )));
        }
    }
    let chosen =
        config.services().iter().copied().filter(|service| wanted.iter().any(|one| chooses(one, service)));
    let chosen: Vec<_> = chosen.collect();
    if chosen.is_empty() {
        return Err(HostError("FLORIN_FUNCTIONS chooses no function of this binary".to_owned()));
    }
    Ok(chosen)
}

fn chooses(wanted: &str, definition: &Definition) -> bool {
    names(definition).any(|name| match wanted.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == wanted,
    })
}

/// The functions of a service and the jobs that the kernel gives it.
fn names(definition: &Definition) -> impl Iterator<Item = String> {
    let jobs = KernelJob::ALL.map(|job| format!("{}.{}", definition.name, job.verb()));
    definition.functions.iter().map(|function| function.name.to_owned()).chain(jobs)
}

fn nearest(services: &[&Definition], wanted: &str) -> String {
    services
        .iter()
        .flat_map(|service| names(service).chain([format!("{}.*", service.name)]))
        .min_by_key(|name| strsim::damerau_levenshtein(name, wanted))
        .map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(functions: &str) -> Result<Vec<&'static str>, String> {
        let config = Config::default().with("functions", Some(functions.to_owned()));
        let chosen = chosen(&config).map_err(|error| error.to_string())?;
        Ok(chosen.into_iter().map(|definition| definition.name).collect())
    }

    #[test]
    fn names_prefixes_and_kernel_jobs_choose() {
        assert_eq!(services("*").unwrap(), ["payments", "audit"]);
        assert_eq!(services("payments.*").unwrap(), ["payments"]);
        assert_eq!(services("audit.record_event, audit.list*").unwrap(), ["audit"]);
        assert_eq!(services("payments.sweep").unwrap(), ["payments"]);
    }

    #[test]
    fn a_service_that_a_binary_has_besides_is_chosen_and_set_like_the_others() {
        const BESIDES: Definition = Definition { name: "besides", ..florin_audit::SERVICE };
        let of = |more: &[&'static Definition]| {
            let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let url = set("FLORIN_BESIDES_DATABASE_URL", "postgres://a");
            let config = Config::of_with(more, [set("FLORIN_FUNCTIONS", "besides.*"), url]);
            let config = config.map_err(|error| error.to_string())?;
            assert_eq!(config.database_url("besides"), "postgres://a");
            let chosen = chosen(&config).map_err(|error| error.to_string())?;
            Ok::<_, String>(chosen.into_iter().map(|definition| definition.name).collect::<Vec<_>>())
        };
        assert_eq!(of(&[&BESIDES]).unwrap(), ["besides"]);
        assert!(of(&[]).unwrap_err().contains("FLORIN_BESIDES_DATABASE_URL is not a setting"));
    }

    #[test]
    fn each_name_must_choose_something_and_the_nearest_is_named() {
        for (wanted, one, near) in [
            ("payments.*,audit.record_evnt", "audit.record_evnt", "audit.record_event"),
            ("audits.*", "audits.*", "audit.*"),
            ("audit.*,payments.swep", "payments.swep", "payments.sweep"),
        ] {
            let said = services(wanted).unwrap_err();
            assert_eq!(
                said,
                format!("FLORIN_FUNCTIONS: {one} chooses no function of this binary; did you mean {near}?")
            );
        }
        assert_eq!(services(",").unwrap_err(), "FLORIN_FUNCTIONS chooses no function of this binary");
    }
}
