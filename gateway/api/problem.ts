import type { FastifyReply } from 'fastify';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Answers with application/problem+json (RFC 9457). `detail` is shown: it holds nothing that is not for the caller. */
export function sendProblem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  const title = titles[status] ?? 'Error';
  return reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail }));
}
