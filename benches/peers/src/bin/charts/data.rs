//! The results of the benches: criterion's samples of each round, `heap.json`, and the paired
//! comparisons, each a line of `build.jsonl` or `user.jsonl`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Outcome;
use crate::units::Unit;

pub(crate) struct Data {
    cells: HashMap<Benchmark, Cell>,
    /// Bytes and allocations, by contender and by number of slots.
    pub(crate) heap: HashMap<String, HashMap<usize, [f64; 2]>>,
    pub(crate) build: Vec<Multiple>,
    pub(crate) user: Vec<Multiple>,
}

/// The multiple of the hand-written work, and its budget.
#[derive(Deserialize)]
pub(crate) struct Multiple {
    pub(crate) panel: String,
    pub(crate) row: String,
    pub(crate) ratio: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) budget: Option<f64>,
    /// The figures themselves.
    pub(crate) measured: f64,
    pub(crate) by_hand: f64,
    pub(crate) unit: Unit,
}

/// Criterion's `benchmark.json`.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Benchmark {
    group_id: String,
    function_id: String,
    value_str: String,
}

/// Criterion's `sample.json`.
#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// All samples of one benchmark, in nanoseconds each, by round.
#[derive(Default)]
pub(crate) struct Cell(BTreeMap<String, Vec<f64>>);

impl Data {
    pub(crate) fn read(folder: &Path) -> Outcome<Data> {
        let heap = folder.join("heap.json");
        let mut data = Data {
            cells: HashMap::new(),
            heap: if heap.exists() { json(&heap)? } else { HashMap::new() },
            build: multiples(&folder.join("build.jsonl"))?,
            user: multiples(&folder.join("user.jsonl"))?,
        };
        data.collect(folder)?;
        Ok(data)
    }

    fn collect(&mut self, folder: &Path) -> Outcome<()> {
        let round = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if round.starts_with("round-") {
            let Samples { iters, times } = json(&folder.join("sample.json"))?;
            let each = times.iter().zip(&iters).map(|(time, count)| time / count).collect();
            let benchmark = json(&folder.join("benchmark.json"))?;
            self.cells.entry(benchmark).or_default().0.insert(round, each);
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.collect(&path)?;
            }
        }
        Ok(())
    }

    pub(crate) fn cell(&self, group: &str, slots: usize, function: &str) -> Option<&Cell> {
        self.cells.get(&Benchmark {
            group_id: group.to_owned(),
            function_id: function.to_owned(),
            value_str: slots.to_string(),
        })
    }

    pub(crate) fn rounds(&self) -> usize {
        self.cells.values().flat_map(|cell| cell.0.keys()).collect::<BTreeSet<_>>().len()
    }
}

impl Cell {
    /// The median of the samples of all rounds.
    pub(crate) fn quartiles(&self) -> [f64; 3] {
        let mut samples: Vec<f64> = self.0.values().flatten().copied().collect();
        [0.25, 0.5, 0.75].map(|share| quantile(&mut samples, share))
    }

    /// The median over the rounds. Whatever slows a whole round slows both sides.
    pub(crate) fn ratio(&self, other: &Cell) -> f64 {
        let both = self.0.iter().filter_map(|(round, samples)| {
            let other = other.0.get(round)?;
            Some(quantile(&mut samples.clone(), 0.5) / quantile(&mut other.clone(), 0.5))
        });
        quantile(&mut both.collect::<Vec<_>>(), 0.5)
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let position = share * (values.len() - 1) as f64;
    let (below, above) = (values[position.floor() as usize], values[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

fn multiples(path: &Path) -> Outcome<Vec<Multiple>> {
    let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn json<T: DeserializeOwned>(path: &Path) -> Outcome<T> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
