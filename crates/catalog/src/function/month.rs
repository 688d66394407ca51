//! `month`: the calendar month of a date. One table for each month, or one on each node with the months going round the nodes.

super::calendar::unit_function!("month", Month);
