/** The list of all contracts. A route that is not here does not exist. */
import * as apiKeys from './api-keys.ts';
import * as archive from './archive.ts';
import * as attention from './attention.ts';
import * as auth from './auth.ts';
import * as consumption from './consumption.ts';
import * as devices from './devices.ts';
import * as exports from './exports.ts';
import * as imports from './imports.ts';
import * as inputs from './inputs.ts';
import * as ledger from './ledger.ts';
import * as meters from './meters.ts';
import * as operations from './operations.ts';
import * as people from './people.ts';
import * as photos from './photos.ts';
import * as properties from './properties.ts';
import * as readings from './readings.ts';
import * as users from './users.ts';

export const contracts = {
  register: auth.register,
  login: auth.login,
  refresh: auth.refresh,
  logout: auth.logout,
  listSessions: auth.listSessions,
  endSession: auth.endSession,
  changePassword: auth.changePassword,
  forgotPassword: auth.forgotPassword,
  resetPassword: auth.resetPassword,
  getMe: users.getMe,
  updateMe: users.updateMe,
  deleteMe: users.deleteMe,
  listMyProperties: users.listMyProperties,
  getDashboard: users.getDashboard,
  createApiKey: apiKeys.createApiKey,
  listApiKeys: apiKeys.listApiKeys,
  deleteApiKey: apiKeys.deleteApiKey,
  createProperty: properties.createProperty,
  listProperties: properties.listProperties,
  getProperty: properties.getProperty,
  updateProperty: properties.updateProperty,
  deleteProperty: properties.deleteProperty,
  restoreProperty: properties.restoreProperty,
  listMembers: people.listMembers,
  setMember: people.setMember,
  removeMember: people.removeMember,
  createInvitation: people.createInvitation,
  listInvitations: people.listInvitations,
  revokeInvitation: people.revokeInvitation,
  getInvitation: people.getInvitation,
  acceptInvitation: people.acceptInvitation,
  createMainMeter: meters.createMainMeter,
  createSubmeter: meters.createSubmeter,
  listMeters: meters.listMeters,
  getMeter: meters.getMeter,
  updateMeter: meters.updateMeter,
  deleteMeter: meters.deleteMeter,
  restoreMeter: meters.restoreMeter,
  listDevices: devices.listDevices,
  describeDevice: devices.describeDevice,
  correctDevice: devices.correctDevice,
  confirmDevice: devices.confirmDevice,
  replaceDevice: devices.replaceDevice,
  undoReplacement: devices.undoReplacement,
  createReading: readings.createReading,
  createReadings: readings.createReadings,
  importReadings: imports.importReadings,
  exportReadings: exports.exportReadings,
  archiveProperty: archive.archiveProperty,
  restoreArchive: archive.restoreArchive,
  createDeviceReading: inputs.createDeviceReading,
  createDeviceReadings: inputs.createDeviceReadings,
  createMqttTopic: inputs.createMqttTopic,
  listMqttTopics: inputs.listMqttTopics,
  deleteMqttTopic: inputs.deleteMqttTopic,
  getReading: readings.getReading,
  correctReading: readings.correctReading,
  voidReading: readings.voidReading,
  settleRollover: readings.settleRollover,
  confirmReading: readings.confirmReading,
  listRevisions: readings.listRevisions,
  uploadPhoto: photos.uploadPhoto,
  getPhoto: photos.getPhoto,
  proveReading: ledger.proveReading,
  listBatches: ledger.listBatches,
  verifyLedger: ledger.verifyLedger,
  exportLedger: ledger.exportLedger,
  undoBatch: ledger.undoBatch,
  getSummary: readings.getSummary,
  getLatest: readings.getLatest,
  getHistory: readings.getHistory,
  getMeterRange: readings.getMeterRange,
  getPropertyRange: readings.getPropertyRange,
  getConsumption: consumption.getConsumption,
  getSeries: consumption.getSeries,
  listAttention: attention.listAttention,
  getHealth: operations.getHealth,
  getReadiness: operations.getReadiness,
  getOpenapi: operations.getOpenapi,
} as const;

export type Contracts = typeof contracts;
