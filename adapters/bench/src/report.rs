//! What a run showed, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::row::{Budget, Row, Side, Spread};

/// A whole run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether it was only to show that every row gives numbers: they mean nothing then.
    pub quick: bool,
    /// Whether the programs were built for release.
    pub release: bool,
    /// The load average of one minute when the run began and when it ended; idle is below 0.3.
    pub load_average: [f64; 2],
    /// How many processors there are.
    pub processors: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The rows.
    pub rows: Vec<Row>,
    /// The rows that could not be had here, and why.
    pub skipped: Vec<(String, String)>,
}

impl Report {
    /// As a table.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let _ = writeln!(text, "{}: {}", row.row, row.what);
            if let Some(against) = &row.against {
                let _ = writeln!(text, "    against {against}");
            }
            let _ = writeln!(text, "    ours      {}", side(&row.ours, row.unit));
            if let Some(baseline) = &row.baseline {
                let _ = writeln!(text, "    baseline  {}", side(baseline, row.unit));
            }
            if let Some(Spread { median, min, max }) = row.ratio {
                let _ = writeln!(text, "    ratio     {median:.2} ({min:.2} to {max:.2})  {}", verdict(row));
            } else {
                let _ = writeln!(text, "    {}", verdict(row));
            }
            for note in &row.notes {
                let _ = writeln!(text, "    - {note}");
            }
            text.push('\n');
        }
        for (row, why) in &self.skipped {
            let _ = writeln!(text, "{row}: SKIPPED ({why})");
        }
        let build = if self.release { "release" } else { "dev, not for release" };
        let quick = if self.quick { ", quick: these numbers mean nothing" } else { "" };
        let [began, ended] = self.load_average;
        let _ = writeln!(
            text,
            "{:.0} s, {build} build{quick}, {} processors, load average {began:.2} at the start and {ended:.2} at the end",
            self.seconds, self.processors
        );
        text
    }
}

fn side(side: &Side, unit: &str) -> String {
    let Spread { median, min, max } = side.value;
    let mut text = format!("{median:>9.1} {unit} ({min:.1} to {max:.1})");
    if let (Some(p50), Some(p99)) = (side.p50_us, side.p99_us) {
        let _ = write!(text, "  p50 {}  p99 {}", time(p50), time(p99));
    }
    if let Some(cpu) = side.cpu_us {
        let _ = write!(text, "  {cpu:.0} us of its CPU each");
    }
    if let Some(busy) = side.load_busy {
        let _ = write!(text, "  load generator {:.0} % busy", busy * 100.0);
    }
    text
}

fn time(us: f64) -> String {
    if us < 1_000.0 { format!("{us:.0} us") } else { format!("{:.2} ms", us / 1_000.0) }
}

fn verdict(row: &Row) -> String {
    let kept = match row.kept {
        Some(true) => "kept",
        Some(false) => "MISSED",
        None => return "no budget".to_owned(),
    };
    match row.budget {
        Some(Budget::AtLeast(share)) => format!("budget at least {share} x: {kept}"),
        Some(Budget::AtMost(multiple)) => format!("budget at most {multiple} x: {kept}"),
        Some(Budget::Below(limit)) => format!("budget below {limit} {}: {kept}", row.unit),
        None => kept.to_owned(),
    }
}
