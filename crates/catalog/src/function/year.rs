//! `year`: the year of a date. One table for each year, or one on each node with the years going round the nodes.

super::calendar::unit_function!("year", Year);
