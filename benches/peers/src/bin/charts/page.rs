//! The page: its text is written by hand, and the parts between markers are filled in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::field::Row;
use crate::{Outcome, Panel};

pub(crate) struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Outcome<Page> {
        Ok(Page { path: path.to_owned(), text: fs::read_to_string(path)? })
    }

    pub(crate) fn fill(&mut self, name: &str, content: &str) -> Outcome<()> {
        let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
        let parts = self.text.split_once(&begin);
        let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = parts.ok_or_else(|| format!("the page has no markers: {name}"))?;
        self.text = format!("{before}{begin}{content}\n{end}{after}");
        Ok(())
    }

    pub(crate) fn write(self) -> Outcome<()> {
        Ok(fs::write(self.path, self.text)?)
    }
}

/// With the last panel's figures by slot as well, if asked for.
pub(crate) fn table(rows: &[Row], panels: &[Panel], per_slot: bool) -> String {
    let mut lines = vec![String::new(), "|".to_owned(), "|---|".to_owned()];
    for panel in panels {
        lines[1] += &format!(" | {}", panel.title);
        lines[2] += "---|";
    }
    if per_slot {
        lines[1] += " | per slot of these";
        lines[2] += "---|";
    }
    lines[1] += " |";
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && rows[index - 1].thread_safe && !row.thread_safe {
            lines.push(format!("| *one thread at a time:* |{}", " |".repeat(panels.len())));
        }
        let mut line = format!("| {}", row.label);
        for panel in panels {
            let cell = panel.cells[index].as_ref();
            line += &format!(" | {}", cell.map_or("not measured", |shown| &shown.cell));
        }
        if let Some(last) = panels.last().filter(|_| per_slot) {
            let each = last.cells[index]
                .as_ref()
                .map(|cell| last.unit.show(cell.median / last.slots as f64));
            line += &format!(" | {}", each.unwrap_or_default());
        }
        lines.push(line + " |");
    }
    lines.push(String::new());
    lines.join("\n")
}
