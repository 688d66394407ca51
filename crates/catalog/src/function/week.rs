//! `week`: the ISO week of a date; weeks begin on Monday. One table for each week, or one on each node with the weeks going round the nodes.

super::calendar::unit_function!("week", Week);
