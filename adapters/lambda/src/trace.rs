//! The trace of an invocation, from the header that Lambda calls by the name of X-Ray.

use florin_kernel::event::TraceParent;

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` as a W3C trace context: the root's
/// digits are the trace's (AWS X-Ray documentation, "Tracing header").
pub(crate) fn from_x_ray(header: &str) -> Option<TraceParent> {
    let field =
        |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (epoch, unique) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let sampled = if field("Sampled") == Some("1") { "01" } else { "00" };
    format!("00-{epoch}{unique}-{}-{sampled}", field("Parent")?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_x_ray_header_names_the_same_trace() {
        let trace = from_x_ray("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
        assert_eq!(trace.unwrap().as_str(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        let passive = from_x_ray(
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=x",
        );
        assert_eq!(passive.unwrap().as_str(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00");
    }

    #[test]
    fn anything_else_is_no_trace() {
        for header in
            ["", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=2-a-b;Parent=c", "Parent=53995c3f42cd8ad8"]
        {
            assert_eq!(from_x_ray(header), None, "{header}");
        }
    }
}
