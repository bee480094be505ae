//! The panels of the windows. They know nothing about signals: they only have methods that take
//! events.

use std::cell::Cell;
use std::rc::Rc;

use eframe::egui::{self, Color32, Pos2, Rect, Sense, Stroke, Vec2};

use crate::worker::Progress;

/// The bar's color. Nothing else has it.
pub const BAR: Color32 = Color32::from_rgb(46, 160, 67);
/// The chart's color.
pub const CHART: Color32 = Color32::from_rgb(214, 93, 14);

/// Counts panels that are alive.
#[derive(Clone, Default)]
pub struct Alive(Rc<Cell<usize>>);

impl Alive {
    pub fn count(&self) -> usize {
        self.0.get()
    }
    fn one(&self) -> One {
        self.0.set(self.0.get() + 1);
        One(self.clone())
    }
}

struct One(Alive);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - 1);
    }
}

/// Shows the worker's progress.
pub struct Bar {
    progress: Progress,
    pub shown: usize,
    _one: One,
}

impl Bar {
    pub fn new(alive: &Alive) -> Self {
        Bar { progress: Progress::default(), shown: 0, _one: alive.one() }
    }

    pub fn show(&mut self, progress: &Progress) {
        self.progress = *progress;
        self.shown += 1;
    }

    pub fn ui(&self, ui: &mut egui::Ui) {
        let Progress { done, total, .. } = self.progress;
        ui.label(format!("{done} of {total} blocks"));
        let (area, _) = ui.allocate_exact_size(Vec2::new(280.0, 24.0), Sense::hover());
        let mut full = area;
        full.set_width(area.width() * done as f32 / total.max(1) as f32);
        ui.painter().rect_filled(area, 3.0, Color32::from_gray(60));
        ui.painter().rect_filled(full, 3.0, BAR);
    }
}

/// Shows how long each block took, the most recent last.
pub struct Chart {
    micros: Vec<u32>,
    _one: One,
}

impl Chart {
    const MOST: usize = 70;

    pub fn new(alive: &Alive) -> Self {
        Chart { micros: Vec::new(), _one: alive.one() }
    }

    pub fn add(&mut self, progress: &Progress) {
        if self.micros.len() == Self::MOST {
            self.micros.remove(0);
        }
        self.micros.push(progress.micros);
    }

    pub fn ui(&self, ui: &mut egui::Ui) {
        ui.label("Time of each block");
        let (area, _) = ui.allocate_exact_size(Vec2::new(280.0, 90.0), Sense::hover());
        let most = self.micros.iter().copied().max().unwrap_or(0).max(1) as f32;
        let step = area.width() / Self::MOST as f32;
        for (place, micros) in self.micros.iter().enumerate() {
            let height = area.height() * *micros as f32 / most;
            let left = area.left() + place as f32 * step;
            let bar = Rect::from_min_max(
                Pos2::new(left, area.bottom() - height),
                Pos2::new(left + step - 1.0, area.bottom()),
            );
            ui.painter().rect_filled(bar, 0.0, CHART);
        }
        let line = [area.left_bottom(), area.right_bottom()];
        ui.painter().line_segment(line, Stroke::new(1.0, Color32::from_gray(120)));
    }
}

/// Shows what was finished, the newest last.
pub struct Log {
    lines: Vec<String>,
    _one: One,
}

impl Log {
    pub fn new(alive: &Alive) -> Self {
        Log { lines: Vec::new(), _one: alive.one() }
    }

    pub fn add(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    pub fn ui(&self, ui: &mut egui::Ui) {
        ui.label(format!("Finished ({})", self.lines.len()));
        for line in self.lines.iter().rev().take(8) {
            ui.monospace(line);
        }
    }
}
