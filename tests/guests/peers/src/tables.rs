//! The tables of the peers, which are the example's.

callslip_sdk::schema!(
    "../../../example-plugins/hiring/schema.json",
    only = [candidate, company, interview, position, rating]
);
