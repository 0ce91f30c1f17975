mod tables {
    callslip_sdk::schema!("SCHEMA", only = [positon, interview, event, salary]);
}

fn main() {}
