import { Type } from 'typebox';
import { contract } from './schema.ts';

export const getHealth = contract({
  name: 'getHealth',
  method: 'GET',
  url: '/api/health',
  summary: 'Whether the process lives; asks no database',
  tag: 'operations',
  limit: 'none',
  public: true,
  response: { 200: Type.Object({ status: Type.Literal('ok') }) },
  errors: [],
});

export const getReadiness = contract({
  name: 'getReadiness',
  method: 'GET',
  url: '/api/health/ready',
  summary: 'Whether requests can be served: the database answers and its schema is current',
  tag: 'operations',
  limit: 'none',
  public: true,
  response: { 200: Type.Object({ status: Type.Literal('ready'), schema_version: Type.Integer() }) },
  errors: ['unavailable'],
});

export const getOpenapi = contract({
  name: 'getOpenapi',
  method: 'GET',
  url: '/api/openapi.json',
  summary: 'This document',
  tag: 'operations',
  public: true,
  response: { 200: Type.Unsafe<object>({ type: 'object', additionalProperties: true }) },
  errors: [],
});
