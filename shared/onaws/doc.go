// Package onaws is the house on AWS: [Open] makes it from a Lambda function's
// environment, [Serve] and [ServeExpiry] are what the programs under functions/ call.
// Events become requests in package gateway.
//
// The environment:
//
//	GONGJI_TABLE             the DynamoDB table
//	GONGJI_ISSUER            who signs the tokens, as in their claim iss
//	GONGJI_AUDIENCE          whom they are for, as in their claim aud
//	GONGJI_JWKS_URL          where the issuer's keys are; empty: where its discovery
//	                         document says
//	GONGJI_KEYS_CIPHERTEXT   the vault's key document, encrypted by KMS, in base64
//	GONGJI_KEYS_DOCUMENT     the same in the clear; only beside a DynamoDB Local
//	GONGJI_HASH_KEYS         the secret of AWS Secrets Manager that holds those of the
//	                         keys that hash; with it a process starts without KMS, and
//	                         KMS is asked when a name is needed first. Empty: KMS is
//	                         asked as the process starts
//	GONGJI_PAPERS            the bucket of papers; empty: none can be uploaded
//	GONGJI_REGISTRY_URL, GONGJI_REGISTRY_KEY, GONGJI_REGISTRY_SECRET
//	                         a civil registry (package civil) and the key by which it
//	                         is asked; no URL: none is
//	GONGJI_UPLOADS           the origin of that bucket, for the pages alone
//	AWS_ENDPOINT_URL_S3      a stand-in for the bucket; empty on AWS
//	GONGJI_RATES             how much one may ask of a process (throttle.Parse); empty
//	                         limits nobody
//	GONGJI_SEAL_KEY          the KMS key that signs each day's chain heads, for the
//	                         schedule's function alone; empty signs none
//	AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL_SECRETS_MANAGER
//	                         a DynamoDB Local, stand-ins for the two; empty on AWS
//	AWS_REGION and the credentials, which Lambda sets
package onaws
