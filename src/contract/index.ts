/** The list of all contracts. A route that is not here does not exist. */
import * as auth from './auth.ts';
import * as consumption from './consumption.ts';
import * as imports from './imports.ts';
import * as meters from './meters.ts';
import * as operations from './operations.ts';
import * as properties from './properties.ts';
import * as readings from './readings.ts';

export const contracts = {
  register: auth.register,
  login: auth.login,
  refresh: auth.refresh,
  logout: auth.logout,
  getMe: auth.getMe,
  createProperty: properties.createProperty,
  listProperties: properties.listProperties,
  getProperty: properties.getProperty,
  updateProperty: properties.updateProperty,
  createMainMeter: meters.createMainMeter,
  createSubmeter: meters.createSubmeter,
  listMeters: meters.listMeters,
  getMeter: meters.getMeter,
  updateMeter: meters.updateMeter,
  createReading: readings.createReading,
  createReadings: readings.createReadings,
  importReadings: imports.importReadings,
  getReading: readings.getReading,
  getSummary: readings.getSummary,
  getLatest: readings.getLatest,
  getHistory: readings.getHistory,
  getMeterRange: readings.getMeterRange,
  getPropertyRange: readings.getPropertyRange,
  getConsumption: consumption.getConsumption,
  getSeries: consumption.getSeries,
  getHealth: operations.getHealth,
  getReadiness: operations.getReadiness,
  getOpenapi: operations.getOpenapi,
} as const;

export type Contracts = typeof contracts;
