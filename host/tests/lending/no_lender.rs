use callslip::Host;

async fn start(config: callslip::Config, mut url: String) {
    _ = Host::builder().reflect_on(&mut url).start(&config).await;
}

fn main() {}
