//! What the app is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

use super::super::Hash;
use super::*;

#[test]
fn rfc6120_6_5_each_condition_has_its_typed_error() {
    for (condition, code, retryable) in [
        ("aborted", Code::NotAuthorized, false),
        ("account-disabled", Code::NotAuthorized, false),
        ("credentials-expired", Code::NotAuthorized, false),
        ("encryption-required", Code::NoMechanism, false),
        ("incorrect-encoding", Code::NotAuthorized, false),
        ("invalid-authzid", Code::NotAuthorized, false),
        ("invalid-mechanism", Code::NoMechanism, false),
        ("malformed-request", Code::NotAuthorized, false),
        ("mechanism-too-weak", Code::NoMechanism, false),
        ("not-authorized", Code::NotAuthorized, false),
        ("temporary-auth-failure", Code::NotAuthorized, true),
        ("something-new", Code::NotAuthorized, false),
    ] {
        for mechanism in [None, Some(Mechanism::OauthBearer), Some(Mechanism::Scram(Hash::Sha1))] {
            let error = refused(mechanism, condition, Some("No.".into()));
            assert_eq!(
                (error.code(), error.phase(), error.retryable()),
                (code, Phase::Auth, retryable)
            );
            assert_eq!((error.condition(), error.text()), (Some(condition), Some("No.")));
        }
        assert_eq!(failure(condition, None), refused(None, condition, None));
    }
}

#[test]
fn a_refusal_speaks_of_what_was_refused() {
    let message = |mechanism| refused(mechanism, "not-authorized", None).message().to_owned();
    assert!(message(None).contains("password"));
    assert!(message(Some(Mechanism::Plain)).contains("password"));
    assert!(message(Some(Mechanism::Scram(Hash::Sha512))).contains("password"));
    for mechanism in [Mechanism::OauthBearer, Mechanism::External, Mechanism::Anonymous] {
        let error = refused(Some(mechanism), "not-authorized", None);
        assert!(
            !error.message().contains("password") && !error.hint().contains("password"),
            "{error:?}"
        );
    }
}

#[test]
fn each_fault_of_scram_has_its_typed_error() {
    let server = |value: &str| ScramError::ServerError(value.into());
    for (error, code, condition) in [
        (ScramError::Malformed("x"), Code::ProtocolViolation, None),
        (ScramError::NonceMismatch, Code::ServerSignature, None),
        (ScramError::MandatoryExtension, Code::ProtocolViolation, None),
        (ScramError::IterationsTooFew(1), Code::Downgrade, None),
        (ScramError::IterationsTooMany(u32::MAX), Code::ProtocolViolation, None),
        (ScramError::EmptySalt, Code::ProtocolViolation, None),
        (ScramError::OfferChanged, Code::Downgrade, None),
        (ScramError::KeysOutdated, Code::KeysOutdated, None),
        (ScramError::KeyLength, Code::Internal, None),
        (ScramError::SignatureMissing, Code::ServerSignature, None),
        (ScramError::SignatureWrong, Code::ServerSignature, None),
        (server("invalid-proof"), Code::NotAuthorized, Some("invalid-proof")),
        (server("unknown-user"), Code::NotAuthorized, Some("unknown-user")),
        (server("<made up>"), Code::NotAuthorized, Some("other-error")),
        (server("no-resources"), Code::NotAuthorized, Some("no-resources")),
        (
            server("channel-bindings-dont-match"),
            Code::Downgrade,
            Some("channel-bindings-dont-match"),
        ),
        (
            server("server-does-support-channel-binding"),
            Code::Downgrade,
            Some("server-does-support-channel-binding"),
        ),
    ] {
        let told = scram_error(error.clone());
        assert_eq!(
            (told.code(), told.phase(), told.condition()),
            (code, Phase::Auth, condition),
            "{error:?}"
        );
        assert_eq!(told.retryable(), error == server("no-resources"), "{error:?}");
    }
}
