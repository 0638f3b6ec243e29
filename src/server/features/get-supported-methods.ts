// ServerFeatures.GetSupportedMethods: what clients ask first, and trust for as long as they live.
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import { type Rpc, unary } from '../server-context.js'

/** The EventStoreDB whose behaviour this server has. */
export const SERVER_VERSION = '24.6.0'

/** `methods` are all that the server answers, this one aside. */
export function getSupportedMethods(methods: readonly Rpc[]): Rpc {
  const own = unary('/event_store.client.server_features.ServerFeatures/GetSupportedMethods', () => supported)
  const supported = new features.SupportedMethods()
    .setEventStoreServerVersion(SERVER_VERSION)
    .setMethodsList([...methods, own].map(supportedMethod))
  return own
}

function supportedMethod({ path, features: named = [] }: Rpc): features.SupportedMethod {
  const [, service = '', method = ''] = path.toLowerCase().split('/')
  return new features.SupportedMethod()
    .setServiceName(service)
    .setMethodName(method)
    .setFeaturesList([...named])
}
