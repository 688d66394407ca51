//! `hour`: the hour of a date and time. One table for each hour, or one on each node with the hours going round the nodes.

super::calendar::unit_function!("hour", Hour);
