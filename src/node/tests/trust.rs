//! Tokens: whose a record is, and what becomes of it without one.

use super::*;

#[test]
fn what_one_token_registered_no_other_takes() {
    let mut world = World::new();
    let named =
        |id: &str, instance: &str| Register { instance: Some(instance.into()), ..agent(id, "m", 9000) };
    let (epoch, _) = world.join(with_token(1), named("a", "x"));
    for gone in [false, true] {
        if gone {
            world.close(epoch);
        }
        let before = world.registry.records(world.now);
        for peer in [with_token(2), OWNER] {
            let epoch = world.registry.connected(peer);
            let mut field = |register| match world.register(epoch, register) {
                Err(Refused::OtherToken { field }) => field,
                other => panic!("{other:?}"),
            };
            assert_eq!(field(named("a", "x")), "id");
            assert_eq!(field(Register { port: None, ..named("a", "other") }), "id");
            assert_eq!(field(named("b", "other")), "port");
            assert_eq!(field(Register { port: Some(1), ..named("b", "x") }), "instance");
        }
        assert_eq!(world.registry.records(world.now), before);
    }
    world.join(with_token(1), named("a", "x"));
}

#[test]
fn a_revoked_token_takes_its_connections_and_records_along() {
    let mut world = World::new();
    let (a, _) = world.join(with_token(1), agent("a", "m", 1));
    let (b, _) = world.join(with_token(1), agent("b", "m", 2));
    world.join(with_token(2), agent("c", "m", 3));
    world.join(OWNER, agent("d", "m", 4));
    let unregistered = world.registry.connected(with_token(1));
    world.close(b);
    let effects = world.registry.revoke(TokenId(1), world.now);
    let revoked = NodeClose::Revoked;
    assert_eq!(effects, [close(a, revoked), removed("a"), removed("b"), close(unregistered, revoked)]);
    assert_eq!(world.ids(), ["c", "d"]);
    assert_eq!(world.register(unregistered, agent("a", "m", 1)), Err(Refused::Closed));
    // Their ids are free.
    world.join(with_token(2), agent("a", "m", 1));
}
