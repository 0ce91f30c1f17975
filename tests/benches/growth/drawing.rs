//! How a chart becomes an SVG. Its words are text there, in whatever sans-serif font its reader has.

use std::error::Error;
use std::path::Path;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::element::{Circle, EmptyElement, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, LineSeries, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

use crate::axis::Axis;
use crate::chart::{Chart, Panel, short};

const PANEL: (u32, u32) = (420, 340);
const LINE: i32 = 18;
const MARGIN: i32 = 20;

const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(34, 34, 34);
const MUTED: RGBColor = RGBColor(105, 105, 105);
const FAINT: RGBColor = RGBColor(225, 225, 225);
/// Which also who does not see all colours tells apart.
const COLORS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Chart {
    /// Draws it into a file.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn draw(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let head = MARGIN * 2 + LINE * (self.caption.len() as i32 + 1);
        let size = (PANEL.0 * self.panels.len() as u32, PANEL.1 + head as u32);
        let root = SVGBackend::new(file, size).into_drawing_area();
        root.fill(&BACKGROUND)?;
        root.draw_text(self.title, &text(20, INK), (MARGIN, MARGIN))?;
        for (y, line) in (0..).map(|line| MARGIN + LINE * (line + 2) - 8).zip(&self.caption) {
            root.draw_text(line, &text(13, MUTED), (MARGIN, y))?;
        }
        let (_, panels) = root.split_vertically(head);
        let areas = panels.split_evenly((1, self.panels.len()));
        for (area, panel) in areas.iter().zip(&self.panels) {
            self.draw_panel(area, panel)?;
        }
        root.present()?;
        Ok(())
    }

    fn draw_panel(&self, area: &Area<'_>, panel: &Panel) -> Result<(), Box<dyn Error>> {
        area.draw_text(panel.title, &text(15, INK), (MARGIN, 0))?;
        let mut x = MARGIN;
        for (series, color) in panel.series.iter().zip(COLORS.iter().cycle()) {
            area.draw_text(series.name, &text(13, *color), (x, 22))?;
            // Wider than any font's letters are on average.
            x += 8 * series.name.len() as i32 + MARGIN;
        }
        let points = || panel.series.iter().flat_map(|series| &series.points);
        let across = Axis::of_each(self.across_scale, points().map(|point| point.0));
        let up = Axis::of(panel.scale, points().map(|point| point.1));
        let mut chart = ChartBuilder::on(area)
            .margin_top(44)
            .margin_right(16)
            .margin_bottom(12)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(across, up)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(FAINT)
            .light_line_style(FAINT)
            .axis_style(MUTED)
            .label_style(text(12, MUTED))
            .x_desc(self.across)
            .axis_desc_style(text(13, MUTED))
            .draw()?;
        for ((number, series), color) in panel.series.iter().enumerate().zip(COLORS.iter().cycle()) {
            chart.draw_series(LineSeries::new(series.points.iter().copied(), color.stroke_width(2)))?;
            chart.draw_series(series.points.iter().map(|point| {
                let (beside, side, y) = panel.number_at(number, *point);
                let style = text(12, *color).pos(Pos::new(beside, side));
                EmptyElement::at(*point)
                    + Circle::new((0, 0), 3, ShapeStyle::from(color).filled())
                    + Text::new(short(point.1), (0, y), style)
            }))?;
        }
        Ok(())
    }
}

impl Panel {
    /// Where the number of a point is, so that no line crosses it: above the largest of its place, below another, and on the side
    /// that the line does not go to.
    fn number_at(&self, number: usize, point: (f64, f64)) -> (HPos, VPos, i32) {
        let others = self.series.iter().enumerate().filter(|(other, _)| *other != number);
        let mut there =
            others.flat_map(|(other, series)| series.points.iter().map(move |point| (other, point)));
        let is_above = there.all(|(other, at)| at.0 != point.0 || (at.1, other) <= (point.1, number));
        let line = &self.series[number].points;
        // Whether the line goes where the number would be, by more than a little.
        let crosses = |neighbour: Option<&(f64, f64)>| match neighbour {
            Some(neighbour) if is_above => neighbour.1 > point.1 * 1.05,
            Some(neighbour) => neighbour.1 < point.1 * 0.95,
            None => false,
        };
        let beside = match (
            crosses(line.iter().rfind(|at| at.0 < point.0)),
            crosses(line.iter().find(|at| at.0 > point.0)),
        ) {
            (false, true) => HPos::Right,
            (true, false) => HPos::Left,
            _ => HPos::Center,
        };
        if is_above { (beside, VPos::Bottom, -7) } else { (beside, VPos::Top, 8) }
    }
}

fn text(size: u32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color)
}
