mod tables {
    callslip_sdk::schema!(
        "../../../tmp/schema.json",
        only = [positon, interview, event, salary, audit.events, interview],
    );
}

fn main() {}
