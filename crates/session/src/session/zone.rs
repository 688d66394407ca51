//! The session's time zone, as far as Serval has to know it: where a TIMESTAMP says on which shard a row lies.

use serval_catalog::{Catalog, Sharding, Zone};
use serval_remote::Backend;

use super::Session;
use crate::failure::Failure;

/// What a server has said of the time zone that sessions have there.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// What the session had SET then.
    set: Option<String>,
    /// The name; `SYSTEM` for that of the server's machine.
    name: String,
    /// What that one is called now, which may be several zones' name.
    abbreviation: String,
    /// How far ahead of UTC it is now.
    seconds: i32,
    /// How far it is in winter and in summer, by the seconds since 1970.
    seasons: [(i64, i32); 2],
}

impl Clock {
    /// The zone, where it is certain. `SYSTEM` is that of a rule if its clock shows the same under the same name.
    fn zone<'s>(&self, rules: impl Iterator<Item = &'s str>) -> Option<Zone> {
        if !self.name.eq_ignore_ascii_case("SYSTEM") {
            return Zone::parse(&self.name);
        }
        let never_ahead = self.seconds == 0 && self.seasons.iter().all(|(_, ahead)| *ahead == 0);
        if never_ahead && ["UTC", "GMT", "Etc/UTC"].contains(&&*self.abbreviation) {
            return Zone::parse("+00:00");
        }
        let mut zones = rules.filter(|name| name.contains('/')).filter_map(Zone::parse);
        zones.find(|zone| zone.agrees_with(&self.abbreviation, self.seconds, &self.seasons))
    }
}

impl<B: Backend> Session<B> {
    /// The session's time zone; `None` where it is not known, and where none of the tables asks for it.
    pub(crate) async fn zone<'s>(
        &mut self,
        catalog: &Catalog,
        shardings: impl Iterator<Item = &'s Sharding> + Clone,
    ) -> Result<Option<Zone>, Failure> {
        if !shardings.clone().any(Sharding::sees_time_zones) {
            return Ok(None);
        }
        let set = self.state.value("time_zone").map(str::to_owned);
        let known = self.clock.take().filter(|clock| clock.set == set);
        let clock = match known {
            Some(clock) => clock,
            None => Box::new(self.ask_clock(catalog, set).await?),
        };
        let zone = clock.zone(shardings.flat_map(Sharding::time_zones));
        self.clock = Some(clock);
        Ok(zone)
    }

    async fn ask_clock(&mut self, catalog: &Catalog, set: Option<String>) -> Result<Clock, Failure> {
        let home = self.home(catalog)?;
        let [winter, summer] = Zone::seasons();
        let ahead = |at: i64| {
            format!("TIMESTAMPDIFF(SECOND, '1970-01-01' + INTERVAL {at} SECOND, FROM_UNIXTIME({at}))")
        };
        let sql = format!(
            "SELECT @@time_zone, @@system_time_zone, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()), {}, {}",
            ahead(winter),
            ahead(summer)
        );
        let answer = self.ask_readably(home, &sql).await?;
        let text = |column: usize| answer.text(0, column).unwrap_or_default();
        let number = |column: usize| text(column).parse().unwrap_or(i32::MAX);
        let seasons = [(winter, number(3)), (summer, number(4))];
        Ok(Clock { set, name: text(0), abbreviation: text(1), seconds: number(2), seasons })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_zone_is_one_only_if_it_is_certain() {
        let at = |hours: i32| hours * 3600;
        let clock = |name: &str, abbreviation: &str, [now, winter, summer]: [i32; 3]| Clock {
            set: None,
            name: name.to_owned(),
            abbreviation: abbreviation.to_owned(),
            seconds: at(now),
            seasons: Zone::seasons()
                .into_iter()
                .zip([at(winter), at(summer)])
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        };
        let rules = || ["Asia/Shanghai", "+08:00"].into_iter();
        assert_eq!(clock("SYSTEM", "UTC", [0; 3]).zone(rules()), Zone::parse("+00:00"));
        assert_eq!(clock("SYSTEM", "CST", [8; 3]).zone(rules()), Zone::parse("Asia/Shanghai"));
        assert_eq!(clock("SYSTEM", "CST", [-6; 3]).zone(rules()), None);
        assert_eq!(clock("SYSTEM", "CET", [1; 3]).zone(rules()), None);
        assert_eq!(clock("+02:00", "UTC", [2; 3]).zone(rules()), Zone::parse("+02:00"));
        assert_eq!(clock("Europe/Berlin", "UTC", [0; 3]).zone(rules()), Zone::parse("Europe/Berlin"));
        // London in winter, and somebody who has summer time where Shanghai has none.
        assert_eq!(clock("SYSTEM", "GMT", [0, 0, 1]).zone(rules()), None);
        assert_eq!(clock("SYSTEM", "CST", [8, 8, 9]).zone(rules()), None);
    }
}
