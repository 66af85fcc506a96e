/** What OpenAPI says of routes whose bodies are not JSON. */
export const page = (description: string) => ({
  description,
  content: { 'text/html': { schema: { type: 'string' as const } } },
})
export const AWAY = { description: 'Back to the client, with a code or an error in the query' }
export const query = (name: string, required: boolean, description: string) => ({
  name,
  in: 'query' as const,
  required,
  description,
  schema: { type: 'string' as const },
})
export const form = (required: string[], optional: string[]) => ({
  required: true,
  content: {
    'application/x-www-form-urlencoded': {
      schema: {
        type: 'object' as const,
        required,
        properties: Object.fromEntries([...required, ...optional].map((name) => [name, { type: 'string' as const }])),
      },
    },
  },
})
