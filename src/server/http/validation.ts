/** Validates what comes in against its contract, strictly: nothing is converted on the way. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { SchemaValidateFunction } from 'ajv/dist/types/index.js';
import type { FastifyInstance } from 'fastify';
import type { FieldError } from '../../contract/problem.ts';
import type { Check } from '../../contract/schema.ts';
import { parseFactor } from '../../core/formula.ts';
import { parseLocale } from '../../core/text.ts';
import { isTimezone, MAX_AHEAD_MS, parseDateOrInstant, parseInstant } from '../../core/time.ts';
import { type Parsed, parseKwh } from '../../core/units.ts';
import type { DomainError } from '../errors.ts';
import { invalid } from '../errors.ts';

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
const CONTROL = /\p{Cc}/u;

function wrong(parsed: Parsed<unknown>): string | null {
  return parsed.ok ? null : parsed.message;
}

/** @returns what is wrong with a line that a person wrote, null if nothing */
function checkText(text: string, { minLength }: Schema): string | null {
  if (!text.isWellFormed() || CONTROL.test(text)) return 'must not contain control characters';
  return minLength && text.trim() === '' ? 'must not be empty' : null;
}

/** The same for a note, which may have line breaks and tabs. */
export function checkNote(text: string, schema: Schema): string | null {
  return checkText(text.replace(/[\n\r\t]/g, ' '), schema);
}

type Schema = { minLength?: number };

/** What each check of the contract means. @returns what is wrong, null if nothing */
function checks(clock: () => number): Record<Check, (data: unknown, schema: Schema) => string | null> {
  return {
    kwh: (data) => wrong(parseKwh(data)),
    factor: (data) => wrong(parseFactor(data)),
    instant: (data) => wrong(parseInstant(data)),
    'past-instant': (data) => {
      const instant = parseInstant(data);
      if (!instant.ok) return instant.message;
      return instant.value > clock() + MAX_AHEAD_MS
        ? 'lies in the future: a reading is recorded once it has been read'
        : null;
    },
    'date-or-instant': (data) => wrong(parseDateOrInstant(data, 'UTC')),
    timezone: (data) =>
      isTimezone(data as string) ? null : 'must be an IANA time zone, for example Europe/Stockholm',
    locale: (data) => wrong(parseLocale(data)),
    currency: (data) => (CURRENCIES.has(data as string) ? null : 'must be an ISO 4217 code, for example SEK'),
    text: (data, schema) => checkText(data as string, schema),
    note: (data, schema) => checkNote(data as string, schema),
  };
}

function ajv(clock: () => number): Ajv2020 {
  const instance = new Ajv2020({
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    allErrors: true,
    allowUnionTypes: true,
    strictTypes: false,
    validateFormats: false,
    verbose: true,
  });
  const check = checks(clock);
  const validate: SchemaValidateFunction = (name: Check, data: unknown, schema?: object) => {
    // A wrong type is reported by `type` already.
    if (data === null || (typeof data !== 'string' && name !== 'kwh' && name !== 'factor')) return true;
    const message = check[name](data, schema as Schema);
    validate.errors = message === null ? [] : [{ keyword: 'x-check', message, params: {} }];
    return message === null;
  };
  instance.addKeyword({ keyword: 'x-check', schemaType: 'string', validate });
  return instance;
}

/** The field an error is about, for example submeter_readings.kitchen. */
function pathOf({ instancePath, keyword, params }: ErrorObject): string {
  const segments = instancePath
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keyword === 'required') segments.push(params.missingProperty);
  if (keyword === 'additionalProperties') segments.push(params.additionalProperty);
  return segments.join('.');
}

const NUMBER_NAMES: Record<string, string> = { integer: 'a whole number', number: 'a number' };

/** A missing field, in the form in which it would be right. */
function missing({ params, parentSchema }: ErrorObject, part: string): string {
  const example = parentSchema?.properties?.[params.missingProperty]?.examples?.[0];
  if (part === 'querystring')
    return `is required: add ?${params.missingProperty}=${example ?? '…'} to the address`;
  return example === undefined ? 'is required' : `is required, for example ${JSON.stringify(example)}`;
}

function messageOf(error: ErrorObject, part: string): string {
  const { keyword, params, message, parentSchema } = error;
  switch (keyword) {
    case 'x-check':
      return message!;
    case 'required':
      return missing(error, part);
    case 'additionalProperties':
      return 'is not a field of this call: check its spelling';
    case 'minProperties':
      return 'must name at least one field to change';
    case 'enum':
      return `must be one of ${params.allowedValues.filter((w: unknown) => w !== null).join(', ')}`;
    case 'type': {
      const types = [params.type].flat().map((type) => NUMBER_NAMES[type] ?? `a ${type}`);
      return `must be ${types.join(' or ').replace('a null', 'null').replace('a object', 'an object')}`;
    }
    case 'minimum':
      return `must be at least ${params.limit}`;
    case 'maximum':
      return `must be at most ${params.limit}`;
    case 'minLength':
      return `must have at least ${params.limit} character${params.limit === 1 ? '' : 's'}`;
    case 'maxLength':
      return `must have at most ${params.limit} characters`;
    case 'pattern':
      return `has the wrong form: ${parentSchema?.description ?? params.pattern}`;
    default:
      return message ?? 'is wrong';
  }
}

/** Carries Ajv's findings to the error handler. */
export class ValidationFailed extends Error {
  readonly findings: ErrorObject[];
  readonly part: string;
  constructor(findings: ErrorObject[], part: string) {
    super('validation failed');
    this.findings = findings;
    this.part = part;
  }

  toDomainError(): DomainError {
    const fields = new Map<string, FieldError>();
    for (const finding of this.findings) {
      const path = pathOf(finding) || (finding.keyword === 'minProperties' ? 'body' : this.part);
      if (!fields.has(path)) fields.set(path, { path, message: messageOf(finding, this.part) });
    }
    return invalid([...fields.values()]);
  }
}

/**
 * Checks what does not come as a request, as if it did.
 * @returns throws validation_failed, naming the field, unless what it is given fits the schema
 */
export function checker(schema: object, clock: () => number): (data: unknown, part: string) => void {
  const validate = ajv(clock).compile(schema);
  return (data, part) => {
    if (!validate(data)) throw new ValidationFailed(validate.errors!, part).toDomainError();
  };
}

export function validation(app: FastifyInstance, clock: () => number): void {
  const instance = ajv(clock);
  app.setValidatorCompiler(({ schema }) => instance.compile(schema as object));
  app.setSchemaErrorFormatter((findings, part) => new ValidationFailed(findings as ErrorObject[], part));
}
