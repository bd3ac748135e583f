//! Connects to the store of a URL, with endpoint and credentials from the environment.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use crate::error::{Error, Result};
use crate::platform::process_id;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// The client sends a request again for this time. The writer keeps its data and tries again after that.
const RETRY_TIMEOUT: Duration = Duration::from_secs(8);
const MAX_RETRIES: usize = 3;
/// The shortest pause between two of them. Google Cloud Storage takes one write of an object per second, and the three pauses are
/// longer together: <https://docs.cloud.google.com/storage/quotas>.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Service {
    S3,
    Gcs,
    Azure,
}

impl Service {
    /// Returns the service of a bucket's URL, or `None` for a store of the caller.
    fn of(root: &str) -> Option<Self> {
        match root.split_once("://")?.0.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Some(Self::S3),
            "gs" => Some(Self::Gcs),
            "az" | "abfs" | "abfss" => Some(Self::Azure),
            _ => None,
        }
    }
}

/// Splits a URL into the part that names the bucket, and the path in it.
pub(super) fn split(url: &str) -> Result<(&str, &str)> {
    let rest_start = url.find("://").map_or(0, |colon| colon + 3);
    let bucket_end = url[rest_start..].find('/');
    let bucket_end = bucket_end.map_or(url.len(), |slash| rest_start + slash);
    if bucket_end == rest_start {
        let problem = format!("expected a bucket as in `s3://bucket/logs`, got {url:?}");
        return Err(Error::invalid("path", problem));
    }
    Ok((&url[..bucket_end], &url[bucket_end..]))
}

/// Returns the store of `root`, such as `s3://bucket`. A process connects to each bucket once.
pub(super) fn store(root: &str) -> Result<Arc<dyn ObjectStore>> {
    type Connected = (u32, String, Arc<dyn ObjectStore>);
    static CONNECTED: Mutex<Vec<Connected>> = Mutex::new(Vec::new());

    let mut connected = CONNECTED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_same = |(process, name, _): &&Connected| *process == process_id() && name == root;
    if let Some((.., store)) = connected.iter().find(is_same) {
        return Ok(Arc::clone(store));
    }
    // `ring` is the only part with code in C, and builds everywhere. A program that uses `rustls` may have chosen before.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let store = build(root).map_err(|error| {
        let problem = format!("{error}; {}", advice(root));
        Error::invalid("object store", problem)
    })?;
    connected.push((process_id(), root.into(), Arc::clone(&store)));
    Ok(store)
}

fn build(root: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(Duration::from_secs(120));
    let retry = RetryConfig {
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
        backoff: BackoffConfig {
            init_backoff: FIRST_PAUSE,
            ..BackoffConfig::default()
        },
    };
    let is_http = |endpoint: &Option<String>| {
        endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"))
    };
    Ok(match Service::of(root) {
        Some(Service::S3) | None => {
            let endpoint = variable(&[
                "AWS_ENDPOINT_URL_S3",
                "AWS_ENDPOINT_URL",
                "AWS_ENDPOINT",
                "S3_ENDPOINT",
            ]);
            let client = client.with_allow_http(is_http(&endpoint));
            let mut builder = AmazonS3Builder::from_env()
                .with_url(root)
                .with_client_options(client)
                .with_retry(retry);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            Arc::new(builder.build()?)
        }
        Some(Service::Gcs) => {
            let emulator =
                variable(&["STORAGE_EMULATOR_HOST"]).map(|host| match host.contains("://") {
                    true => host,
                    false => format!("http://{host}"),
                });
            let client = client.with_allow_http(is_http(&emulator));
            let mut builder = GoogleCloudStorageBuilder::from_env()
                .with_url(root)
                .with_client_options(client)
                .with_retry(retry);
            if let Some(emulator) = emulator {
                // An emulator takes any token. Without one, `object_store` 0.14 asks Google for it even with `skip_signature`.
                let bearer = "emulator".into();
                let credential = StaticCredentialProvider::new(GcpCredential { bearer });
                builder = builder
                    .with_base_url(&emulator)
                    .with_credentials(Arc::new(credential));
            }
            Arc::new(builder.build()?)
        }
        Some(Service::Azure) => {
            let mut builder = MicrosoftAzureBuilder::from_env();
            let text = variable(&["AZURE_STORAGE_CONNECTION_STRING"]).unwrap_or_default();
            for (key, value) in connection_settings(&text) {
                builder = builder.with_config(key, value);
            }
            let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
            let builder = builder
                .with_url(root)
                .with_client_options(client.with_allow_http(is_http(&endpoint)))
                .with_retry(retry);
            Arc::new(builder.build()?)
        }
    })
}

/// Reads a connection string of Azure: `AccountName=..;AccountKey=..;BlobEndpoint=..`.
///
/// See <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>.
fn connection_settings(text: &str) -> Vec<(AzureConfigKey, String)> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    let settings = pairs.filter_map(|(key, value)| {
        let key = match key.trim() {
            "AccountName" => AzureConfigKey::AccountName,
            "AccountKey" => AzureConfigKey::AccessKey,
            "SharedAccessSignature" => AzureConfigKey::SasKey,
            "BlobEndpoint" => AzureConfigKey::Endpoint,
            "UseDevelopmentStorage" => AzureConfigKey::UseEmulator,
            _ => return None,
        };
        Some((key, value.trim().to_owned()))
    });
    settings.collect()
}

/// Says what to check if the store of `root` cannot be used.
pub(super) fn advice(root: &str) -> String {
    let (credentials, others): (&[&str], _) = match Service::of(root) {
        Some(Service::S3) => (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            ],
            "AWS_REGION and AWS_ENDPOINT_URL",
        ),
        Some(Service::Gcs) => (
            &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
            ],
            "STORAGE_EMULATOR_HOST",
        ),
        Some(Service::Azure) => (
            &[
                "AZURE_STORAGE_ACCOUNT_NAME",
                "AZURE_STORAGE_ACCOUNT_KEY",
                "AZURE_STORAGE_CONNECTION_STRING",
                "AZURE_STORAGE_SAS_TOKEN",
                "AZURE_CLIENT_ID",
            ],
            "AZURE_STORAGE_ENDPOINT",
        ),
        None => return "check the store that the program gave".into(),
    };
    let set: Vec<_> = credentials
        .iter()
        .filter(|name| env::var_os(name).is_some())
        .copied()
        .collect();
    let credentials = match set.is_empty() {
        true => format!(
            "the credentials (none of {} is set)",
            credentials.join(", ")
        ),
        false => format!("the credentials in {}", set.join(", ")),
    };
    format!("check the bucket {root:?}, {credentials}, and {others}")
}

/// Returns the first of the environment's variables that is set and not empty.
fn variable(names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| env::var(name).ok());
    values.into_iter().find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_split_after_the_bucket() {
        for (url, want) in [
            ("s3://bucket", ("s3://bucket", "")),
            ("s3://bucket/", ("s3://bucket", "/")),
            ("gs://bucket/logs/run", ("gs://bucket", "/logs/run")),
            (
                "abfss://files@account.dfs.core.windows.net/logs",
                ("abfss://files@account.dfs.core.windows.net", "/logs"),
            ),
        ] {
            assert_eq!(split(url).unwrap(), want);
        }
        for url in ["s3://", "s3:///logs"] {
            assert!(split(url).is_err(), "{url}");
        }
    }

    #[test]
    fn connection_string_of_azure_has_account_key_and_endpoint() {
        // The form of the page of Microsoft; keys end in `=`.
        let text = "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:1/dev;";
        let want = [
            (AzureConfigKey::AccountName, "dev".to_owned()),
            (AzureConfigKey::AccessKey, "a2V5==".to_owned()),
            (
                AzureConfigKey::Endpoint,
                "http://127.0.0.1:1/dev".to_owned(),
            ),
        ];
        assert_eq!(connection_settings(text), want);
        assert_eq!(connection_settings(""), []);
    }
}
