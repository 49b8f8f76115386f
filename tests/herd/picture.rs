//! The manual's picture: attempts a second, the outage, and the bounds. Its figures stand in it as text, so that it can be
//! held against them, and they against another run.

use crate::plan::GONE;
use crate::tally::{BOUNDS, Tally};
use std::fmt::Write;

/// How many seconds are shown.
const SECONDS: usize = 95;

/// Where the bars are, and how large a second and a hundredth of the clients is.
const LEFT: usize = 46;
const TOP: usize = 40;
const FLOOR: usize = 250;
const SECOND: usize = 7;
const PERCENT: usize = 6;

/// The figures of the herds shown.
pub struct Picture {
    clients: u64,
    seed: u64,
    /// The attempts of each second since the loss.
    herds: Vec<Vec<u64>>,
}

impl Picture {
    pub fn new(clients: u64, seed: u64, herds: &[Tally]) -> Picture {
        let herds = herds.iter().map(|herd| herd.seconds().take(SECONDS).collect());
        Picture {
            clients,
            seed,
            herds: herds.collect(),
        }
    }

    /// The figures of a picture that has been drawn.
    pub fn read(text: &str) -> Option<Picture> {
        let (_, figures) = text.split_once("<metadata>")?;
        let (figures, _) = figures.split_once("</metadata>")?;
        let mut lines = figures.trim().lines().map(|line| {
            let numbers = line
                .split(|c: char| !c.is_ascii_digit())
                .filter(|number| !number.is_empty());
            numbers.map(str::parse).collect::<Result<Vec<u64>, _>>().ok()
        });
        let [clients, seed] = lines.next()??[..] else {
            return None;
        };
        let herds = lines.collect::<Option<_>>()?;
        Some(Picture { clients, seed, herds })
    }

    /// Whether another run's figures are the same, but for what chance makes of them where there are fewer clients.
    pub fn agrees(&self, other: &Picture) -> Result<(), String> {
        if self.herds.len() != other.herds.len() {
            return Err("it shows other herds".into());
        }
        for (one, two) in self.herds.iter().zip(&other.herds) {
            if one.len() != two.len() {
                return Err("it shows another time".into());
            }
            for (second, (one, two)) in one.iter().zip(two).enumerate() {
                let (one, two) = (*one as f64 / self.clients as f64, *two as f64 / other.clients as f64);
                // Five standard deviations, and a little for where there are none.
                let fewest = self.clients.min(other.clients) as f64;
                let chance = 5.0 * (one * (1.0 - one) / fewest).sqrt() + 3.0 / fewest;
                if (one - two).abs() > chance && self.clients != other.clients || self.exact(other) && one != two {
                    return Err(format!(
                        "it shows {:.1} % of the clients in second {second}, and there were {:.1} %",
                        one * 100.0,
                        two * 100.0
                    ));
                }
            }
        }
        Ok(())
    }

    fn exact(&self, other: &Picture) -> bool {
        (self.clients, self.seed) == (other.clients, other.seed)
    }

    pub fn draw(&self) -> String {
        let right = LEFT + SECONDS * SECOND;
        let back = LEFT + (GONE / 1_000) as usize * SECOND;
        let y = |thousandths: u64| FLOOR - thousandths as usize * PERCENT / 10;
        let [ever, after] = BOUNDS.map(y);
        let mut svg = String::new();
        let mut line = |text: &str| svg.push_str(&(text.to_owned() + "\n"));
        line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} 310\" width=\"100%\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\">",
            right + 14
        ));
        line("<title>Attempts to connect, in each second since the server was lost</title>");
        line("<metadata>");
        line(&format!("{} clients, seed {}", self.clients, self.seed));
        for herd in &self.herds {
            let counts: Vec<String> = herd.iter().map(u64::to_string).collect();
            line(&counts.join(" "));
        }
        line("</metadata>");
        line("<rect width=\"100%\" height=\"310\" rx=\"6\" fill=\"#f6f8fa\"/>");
        line(&format!(
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"#e3e6ea\"/>",
            back - LEFT,
            FLOOR - TOP
        ));
        line(&format!(
            "<text x=\"{}\" y=\"{}\">server gone</text>",
            LEFT + 70,
            TOP - 8
        ));
        line(&format!(
            "<text x=\"{}\" y=\"{}\">server back</text>",
            back + 6,
            TOP - 8
        ));
        for percent in [0, 10, 20, 30] {
            let y = y(percent * 10);
            line(&format!("<path d=\"M{LEFT} {y}H{right}\" stroke=\"#c9ced4\"/>"));
            line(&format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{percent} %</text>",
                LEFT - 6,
                y + 4
            ));
        }
        for seconds in (0..SECONDS).step_by(15) {
            let x = LEFT + seconds * SECOND;
            line(&format!(
                "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{seconds} s</text>",
                FLOOR + 16
            ));
        }
        for (herd, look) in self.herds.iter().zip([
            "fill=\"#2f6fb3\"",
            "fill=\"none\" stroke=\"#b35900\" stroke-width=\"1.5\"",
        ]) {
            let mut path = format!("M{LEFT} {FLOOR}");
            for count in herd {
                let height = count * 100 * PERCENT as u64 * 10 / self.clients;
                let tenths = FLOOR as u64 * 10 - height;
                let _ = write!(path, "V{}.{}h{SECOND}", tenths / 10, tenths % 10);
            }
            line(&format!("<path d=\"{path}V{FLOOR}\" {look}/>"));
        }
        let bound = "stroke=\"#c0262d\" stroke-width=\"1.5\" stroke-dasharray=\"6 3\" fill=\"none\"";
        line(&format!("<path d=\"M{LEFT} {ever}H{back}V{after}H{right}\" {bound}/>"));
        line(&format!(
            "<text x=\"{}\" y=\"{}\" fill=\"#c0262d\">bound: 30 %</text>",
            back + 6,
            ever - 6
        ));
        line(&format!(
            "<text x=\"{right}\" y=\"{}\" fill=\"#c0262d\" text-anchor=\"end\">bound: 5 %</text>",
            after - 6
        ));
        let names = ["all sockets closed at once", "half of the clients are told nothing"];
        for (place, (name, look)) in names.iter().zip(["#2f6fb3", "#b35900"]).enumerate() {
            let x = LEFT + 20 + place * 300;
            line(&format!(
                "<rect x=\"{x}\" y=\"282\" width=\"12\" height=\"12\" fill=\"{look}\"/>"
            ));
            line(&format!("<text x=\"{}\" y=\"292\">{name}</text>", x + 18));
        }
        line("</svg>");
        svg
    }
}
