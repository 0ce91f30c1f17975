mod tables {
    callslip_sdk::schema!("../../../tmp/preludes.json", only = ["Select", option]);
}

use callslip_sdk::prelude::*;
use tables::*;

fn query(_: Option<Arg<i32>>) -> Select {
    select(1)
}

fn main() {}
