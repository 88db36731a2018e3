//! The rules of the house that Cargo's metadata and the documents can be held to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, PackageId};
use florin_host::services::SERVICES;
use florin_kernel::function::Room;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The platform that Cargo builds for here.
fn platform() -> String {
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let words = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = words.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

/// Every package of the workspace with all it depends on to run, directly or through another.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(cargo_metadata::CargoOpt::AllFeatures)
        // Only what this platform builds was downloaded.
        .other_options(["--offline", "--locked", "--filter-platform", &platform()].map(str::to_owned))
        .exec()
        .expect("Cargo's metadata");
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: BTreeMap<&PackageId, Vec<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let runs = node.deps.iter().filter(|dep| {
                dep.dep_kinds.iter().any(|k| matches!(k.kind, DependencyKind::Normal | DependencyKind::Build))
            });
            (&node.id, runs.map(|dep| &dep.pkg).collect())
        })
        .collect();
    let name = |id: &PackageId| metadata[id].name.to_string();
    metadata
        .workspace_members
        .iter()
        .map(|member| {
            let mut seen = BTreeSet::new();
            let mut open = vec![member];
            while let Some(id) = open.pop() {
                for next in &nodes[id] {
                    if seen.insert(*next) {
                        open.push(next);
                    }
                }
            }
            (name(member), seen.into_iter().map(name).collect())
        })
        .collect()
}

fn services() -> BTreeSet<String> {
    SERVICES.iter().map(|service| format!("florin-{}", service.name)).collect()
}

#[test]
fn no_function_depends_on_a_platform_a_broker_or_another_service() {
    let dependencies = dependencies();
    for service in services() {
        let own =
            dependencies.get(&service).unwrap_or_else(|| panic!("{service} is a crate of this workspace"));
        let wrong: Vec<_> = own
            .iter()
            .filter(|name| {
                let platform = ["axum", "hyper", "lapin", "reqwest", "lambda_runtime", "lambda_http"];
                platform.contains(&name.as_str())
                    || name.starts_with("aws-sdk")
                    || name.starts_with("aws-config")
                    || (name.starts_with("florin-") && *name != "florin-kernel")
            })
            .collect();
        assert!(wrong.is_empty(), "{service} depends on {wrong:?}");
    }
}

#[test]
fn the_kernel_depends_on_nothing_of_ours_and_no_adapter_on_a_service() {
    let dependencies = dependencies();
    let ours = |name: &String| name.starts_with("florin-");
    assert_eq!(dependencies["florin-kernel"].iter().filter(|name| ours(name)).count(), 0);
    for adapter in ["http", "knative", "lambda", "queue", "rabbitmq", "sqs", "sandbox"] {
        let own = &dependencies[&format!("florin-{adapter}")];
        let wrong: Vec<_> = own.intersection(&services()).cloned().collect();
        assert!(wrong.is_empty(), "florin-{adapter} depends on {wrong:?}");
    }
}

/// `cargo tree` rather than the metadata, whose graph also holds what weak features would bring if they were on.
#[test]
fn there_is_one_crypto_library() {
    let tree = std::process::Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--workspace", "--all-features", "--edges", "normal,build,dev", "--prefix", "none"])
        .args(["--offline", "--locked", "--format", "{p}"])
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let packages = String::from_utf8_lossy(&tree.stdout).into_owned();
    let names: BTreeSet<&str> = packages.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("aws-lc-rs"), "the tree was not read");
    for other in ["ring", "openssl-sys", "native-tls"] {
        assert!(!names.contains(other), "something depends on {other}");
    }
}

/// The packages and features of a build of the binary.
fn features(options: &[&str]) -> String {
    let tree = std::process::Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--package", "florin-host", "--edges", "normal,build,features", "--prefix", "none"])
        .args(["--offline", "--locked", "--format", "{p} [{f}]"])
        .args(options)
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8_lossy(&tree.stdout).into_owned()
}

#[test]
fn nobody_can_kill_a_shipped_build_by_the_name_of_a_point() {
    let with = features(&["--features", "failpoints"]);
    assert!(with.contains("failpoints") && with.contains("signal-hook v"), "the tree was not read: {with}");
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .no_deps()
        .exec()
        .expect("Cargo's metadata");
    let host = metadata.packages.iter().find(|package| package.name.as_str() == "florin-host");
    let others = host.expect("the host").features.keys().filter(|feature| *feature != "failpoints");
    let shipped = others.cloned().collect::<Vec<_>>().join(",");
    let without = features(&["--features", &shipped]);
    assert!(without.contains("florin-sqs"), "{shipped} are not all features");
    assert!(!without.contains("failpoints"), "a shipped feature brings the points");
}

#[test]
fn cloud_sdks_stay_in_leaf_crates() {
    for (package, own) in dependencies() {
        let allowed =
            ["florin-sqs", "florin-host", "florin-conformance", "florin-bench"].contains(&package.as_str());
        assert!(
            allowed || !own.iter().any(|name| name.starts_with("aws-sdk")),
            "{package} depends on an AWS SDK"
        );
    }
}

#[test]
fn the_table_of_functions_in_the_readme_is_the_catalog() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let table: Vec<&str> =
        readme.lines().filter(|line| line.starts_with("| `") && line.contains('.')).collect();
    let declared: Vec<String> = SERVICES
        .iter()
        .flat_map(|service| service.functions)
        .map(|function| {
            let door = match &function.room {
                Room::Command(room) => format!("`{} {}`", room.at.door.method.as_str(), room.at.door.path),
                Room::Query(room) => format!("`{} {}`", room.at.door.method.as_str(), room.at.door.path),
                Room::Reaction(room) => {
                    room.on.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ")
                }
                Room::Job(room) => format!("every {} s", room.every.as_secs()),
                Room::Effect(room) => room.peer.to_owned(),
            };
            format!("| `{}` | {} | {door} |", function.name, function.kind())
        })
        .collect();
    assert_eq!(table, declared);
}

#[test]
fn every_dependency_is_declared_once_and_says_what_it_is_for() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let declared: Vec<&str> =
        lines.take_while(|line| !line.starts_with('[')).filter(|l| l.contains(" = ")).collect();
    assert!(declared.len() > 40, "the table was not found");
    for line in declared {
        assert!(line.contains('#') || line.starts_with("florin-"), "no purpose: {line}");
    }
    for entry in walk(&root()) {
        let text = std::fs::read_to_string(&entry).expect("a manifest");
        for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric())) {
            assert!(
                !line.contains("version = \"") || line.contains("workspace"),
                "{}: {line} fixes a version of its own",
                entry.display()
            );
        }
    }
}

/// The manifests of the members; a workspace of its own, such as adapters/shuttle, cannot inherit from ours.
fn walk(root: &Path) -> Vec<std::path::PathBuf> {
    ["shared", "functions", "adapters", "adapters/queue"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder").flatten())
        .map(|entry| entry.path().join("Cargo.toml"))
        .filter(|path| std::fs::read_to_string(path).is_ok_and(|text| !text.contains("\n[workspace]")))
        .collect()
}
