export type KubeconfigUser =
  | { readonly certificate: string; readonly key: string }
  | { readonly token: string; readonly certificate?: undefined }

/** A kubeconfig with one user and everything inline; JSON, which is YAML. `caData` is base64, certificates are PEM. */
export function kubeconfig(url: string, caData: string, user: KubeconfigUser): string {
  const credentials =
    user.certificate === undefined
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': caData } }],
    users: [{ name: 'test', user: credentials }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
