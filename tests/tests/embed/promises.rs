//! What the types promise, and on which runtimes they work.

use callslip::{Call, Host, HostBuilder, Reply, Rows, Running};
use serde_json::json;

use crate::support::{Service, config, fragile, read};

fn send<T: Send>(value: T) -> T {
    value
}

const fn shared<T: Send + Sync + 'static>() {}
const fn sent<T: Send>() {}

const _: () = {
    shared::<Host>();
    shared::<callslip::Generation>();
    shared::<callslip::LoadedPlugin>();
    shared::<callslip::Config>();
    shared::<callslip::CallError>();
    shared::<callslip::Observation>();
    shared::<callslip::HostedPlugin>();
    shared::<callslip::Row>();
    shared::<callslip::StartError>();
    shared::<callslip::RefreshError>();
    shared::<callslip::loan::LoanError>();
    shared::<callslip::loan::Pool>();
    shared::<callslip::plugin::Engine>();
    sent::<HostBuilder<'_>>();
    sent::<Call<'_>>();
    sent::<Running<'_, Rows<'_>>>();
    sent::<Reply<'_>>();
    sent::<Rows<'_>>();
    sent::<callslip::Watch>();
};

/// The futures can be spawned.
#[tokio::test(flavor = "multi_thread")]
async fn all_that_waits_can_go_from_thread_to_thread() {
    let service = Service::new("embed_send").await;
    let url = service.url.clone();
    let task = tokio::spawn(async move {
        let mut client = callslip_tests::connect_to(&url).await;
        let config = config(&[fragile()]);
        let host = send(Host::builder().reflect_on(&mut client).start(&config)).await.unwrap();
        send(host.refresh_on(&mut client)).await.unwrap();
        let mut reply = send(host.call("fragile", "ids").on(&mut client).run()).await.unwrap();
        send(reply.next_chunk()).await.unwrap()
    });
    assert_eq!(task.await.unwrap().unwrap(), r#"[{"id":1},{"id":2}]"#);
}

/// A runtime of one thread, which nobody else drives.
#[test]
fn a_runtime_of_one_thread_is_enough() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let service = Service::new("embed_one_thread").await;
        let mut client = service.connect().await;
        let config = config(&[fragile()]);
        let host = Host::builder().reflect_on(&mut client).start(&config).await.unwrap();
        host.refresh_on(&mut client).await.unwrap();
        let ids = json!([{"id": 1}, {"id": 2}]);
        assert_eq!(read(host.call("fragile", "ids").on(&mut client)).await.unwrap(), ids);
        let connection = callslip::loan::ConnectionSettings::resolve(Some(&service.url), &|_| None).unwrap();
        let host = Host::start(&config, &connection).await.unwrap();
        host.refresh().await.unwrap();
        assert_eq!(read(host.call("fragile", "ids")).await.unwrap(), ids);
    });
}
