mod tables {
    callslip_sdk::schema!("nowhere.json");
}

fn main() {}
