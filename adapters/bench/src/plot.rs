//! Latency over load as SVG: one panel a row, p50 and p99 of both sides against the rate that was reached.

use std::fmt::Write as _;

use crate::bench::Bench;
use crate::error::Outcome;
use crate::load::Loaded;
use crate::rows;

/// So many clients at a time, one point each.
pub const CLIENTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// One side's way from few clients to many.
pub struct Line {
    /// Whose.
    pub name: &'static str,
    /// Its colour, of the Okabe-Ito palette, which people who see few colours tell apart.
    pub colour: &'static str,
    /// Rate in things a second, p50 and p99 in milliseconds.
    pub points: Vec<[f64; 3]>,
}

/// One row's lines.
pub struct Panel {
    /// What was measured.
    pub title: String,
    /// What the rate counts.
    pub unit: &'static str,
    /// Both sides.
    pub lines: Vec<Line>,
}

/// Our side's colour.
pub const OURS: &str = "#0072b2";
/// The baseline's colour.
pub const BASELINE: &str = "#d55e00";

/// A point of a line.
pub fn point(loaded: &Loaded) -> [f64; 3] {
    let ms = |percent| loaded.latencies.percentile_us(percent).unwrap_or(f64::NAN) / 1_000.0;
    [loaded.rate(), ms(50.0), ms(99.0)]
}

/// Measures and draws.
pub async fn draw(bench: &Bench) -> Outcome<String> {
    let panels = [rows::plot_public_query(bench).await?, rows::plot_authorized_query(bench).await?];
    Ok(svg(&panels))
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 46.0;

fn svg(panels: &[Panel]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a few panels")]
    let height = HEIGHT * panels.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few panels")]
        let down = HEIGHT * index as f64;
        let _ = writeln!(text, "<g transform=\"translate(0 {down})\">");
        draw_panel(&mut text, panel);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

fn draw_panel(text: &mut String, panel: &Panel) {
    let all = || panel.lines.iter().flat_map(|line| &line.points);
    let most_rate = all().map(|[rate, ..]| *rate).fold(1.0, f64::max);
    let (least, most) = (
        all().map(|[_, p50, _]| *p50).fold(f64::INFINITY, f64::min),
        all().map(|[.., p99]| *p99).fold(0.0, f64::max),
    );
    // Latency spans decades: a logarithmic axis from one power of ten to another.
    let (low, high) = (least.max(0.001).log10().floor(), most.max(0.01).log10().ceil());
    let x = |rate: f64| LEFT + rate / most_rate * (WIDTH - LEFT - RIGHT);
    let y = |ms: f64| {
        let share = (ms.max(0.001).log10() - low) / (high - low).max(1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    };
    let _ = writeln!(text, "<text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{}</text>", panel.title);
    let (floor, end) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let mut power = low;
    while power <= high {
        let (ms, at) = (10_f64.powf(power), y(10_f64.powf(power)));
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{ms} ms</text>",
            LEFT - 6.0,
            at + 4.0,
        );
        power += 1.0;
    }
    for quarter in 0..=4 {
        let rate = most_rate * f64::from(quarter) / 4.0;
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{rate:.0}</text>",
            x(rate),
            floor + 16.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        (LEFT + end) / 2.0,
        floor + 34.0,
        panel.unit
    );
    for (index, line) in panel.lines.iter().enumerate() {
        draw_line(text, line, index, &x, &y);
    }
}

fn draw_line(text: &mut String, line: &Line, index: usize, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let Line { name, colour, points } = line;
    for (name_of_share, value, dashes) in [("p50", 1, ""), ("p99", 2, " stroke-dasharray=\"5 4\"")] {
        let path: Vec<String> =
            points.iter().map(|point| format!("{:.1},{:.1}", x(point[0]), y(point[value]))).collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"{dashes}><title>{name} \
             {name_of_share}</title></polyline>",
            path.join(" ")
        );
        for (point, clients) in points.iter().zip(CLIENTS) {
            let _ = writeln!(
                text,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.6\" fill=\"{colour}\"><title>{name}, {clients} clients: {:.0} a \
                 second, {name_of_share} {:.2} ms</title></circle>",
                x(point[0]),
                y(point[value]),
                point[0],
                point[value],
            );
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "two lines")]
    let right = LEFT + 230.0 * index as f64;
    let _ = writeln!(
        text,
        "<path d=\"M{right} 30h22\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{:.1}\" y=\"34\">{name} (p50, p99 dashed)</text>",
        right + 28.0
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_within_the_picture() {
        let line = |name, colour| Line {
            name,
            colour,
            points: vec![[100.0, 0.5, 2.0], [900.0, 3.0, 40.0], [1_000.0, 9.0, 80.0]],
        };
        let lines = vec![line("ours", OURS), line("baseline", BASELINE)];
        let drawn = svg(&[Panel { title: "a".to_owned(), unit: "requests/s", lines }]);
        let circles: Vec<f64> =
            drawn.split("cy=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
        assert_eq!(circles.len(), 12);
        assert!(circles.iter().all(|y| (TOP..=HEIGHT - BOTTOM).contains(y)), "{circles:?}");
    }
}
