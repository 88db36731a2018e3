//! The table of what each queue does by itself, as the documents have it.

use std::path::Path;

use florin_queue::features::Features;

use crate::corner::Kind;

#[test]
fn the_table_in_the_architecture_is_what_the_adapters_declare() {
    let table = Features::table(&Kind::ALL.map(Kind::features));
    println!("{table}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).expect("ARCHITECTURE.md");
    assert!(page.contains(&table), "ARCHITECTURE.md has another table than:\n{table}");
}
