mod tables {
    callslip_sdk::schema!();
    callslip_sdk::schema!(position);
    callslip_sdk::schema!("../../../tmp/schema.json" only);
    callslip_sdk::schema!("../../../tmp/schema.json", tables = [position]);
    callslip_sdk::schema!("../../../tmp/schema.json", only = position);
    callslip_sdk::schema!("../../../tmp/schema.json", only = [1]);
    callslip_sdk::schema!("../../../tmp/schema.json", only = [position], only = [interview]);
    callslip_sdk::schema!("Cargo.toml");
}

fn main() {}
