//! `day`: the day of a date. One table for each day, or one on each node with the days going round the nodes.

super::calendar::unit_function!("day", Day);
