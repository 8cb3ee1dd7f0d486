import { expect, test } from 'vitest';
import { parseS3Location } from './s3Location.ts';

test.each([
  ['s3://bucket', { bucket: 'bucket', prefix: '', endpoint: undefined, region: undefined, pathStyle: false, shown: 's3://bucket' }],
  ['s3://bucket/', { prefix: '', shown: 's3://bucket' }],
  ['s3://bucket/a/b/', { prefix: 'a/b/', shown: 's3://bucket/a/b' }],
  ['s3://b.u-c/p?region=eu-north-1', { bucket: 'b.u-c', region: 'eu-north-1', pathStyle: false, shown: 's3://b.u-c/p?region=eu-north-1' }],
  ['s3://bucket?endpoint=https://s3.example.test', { endpoint: 'https://s3.example.test', pathStyle: true }],
  ['s3://bucket?endpoint=s3.example.test:9000', { endpoint: 'https://s3.example.test:9000', shown: 's3://bucket?endpoint=https://s3.example.test:9000' }],
  ['s3://bucket?endpoint=http://127.0.0.1:9000/&style=host', { endpoint: 'http://127.0.0.1:9000', pathStyle: false }],
  ['s3://bucket?style=path', { endpoint: undefined, pathStyle: true }],
  ['s3://bucket?ca-file=/etc/ca.pem&credentials-file=/k', { caFile: '/etc/ca.pem', credentialsFile: '/k', shown: 's3://bucket' }],
])('reads %s', (url, expected) => {
  expect(parseS3Location(url)).toMatchObject(expected);
});

test.each([
  's3:', 's3:bucket', 's3:///prefix', 's3://x', 's3://bucket:9000', 's3://bucket/a//b', 's3://bucket/a b', 's3://bucket/ä',
  `s3://bucket/${'p'.repeat(300)}`, 's3://bucket#x', 's3://bucket?regoin=x', 's3://bucket?region=a b', 's3://bucket?style=other',
  's3://bucket?endpoint=ftp://host', 's3://bucket?endpoint=https://host/path', 's3://bucket?endpoint=https://user:secret@host', 's3://bucket?endpoint=https://',
  's3://key:secret@bucket/x',
])('refuses %s without a secret in the message', (url) => {
  let error: unknown;
  try {
    parseS3Location(url);
  } catch (failure) {
    error = failure;
  }
  expect(error).toMatchObject({ code: 'storage/bad-location', retryClass: 'input' });
  expect(String(error)).toContain('s3://bucket/prefix');
  expect(String(error)).not.toContain('secret@');
});
