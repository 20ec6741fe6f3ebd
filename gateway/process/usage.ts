/** What `webtrunk --help` prints. */
export const usage = `webtrunk: browser softphones to the PBXs and SIP trunks you already have

  webtrunk start [--config FILE]   run the gateway; without FILE a quick start on this machine only
  webtrunk check [FILE]            check a configuration file (webtrunk.yaml) and say everything that is wrong
  webtrunk doctor [TRUNK] [--config FILE] [--call NUMBER]
                                   examine trunks step by step and say what to change; with NUMBER call it and listen
  webtrunk route NUMBER --as USER|--from-trunk TRUNK [--config FILE] [--at 2026-12-24T20:00]
                                   say which route takes a call and why, and show the INVITEs that would leave
  webtrunk user add|passwd NAME DOMAIN [--file FILE]
                                   add a user to a users file (users.htdigest), or give a new password; it is read from
                                   standard input
  webtrunk user remove NAME DOMAIN [--file FILE]
  webtrunk user list [--file FILE]
  webtrunk user hash NAME DOMAIN   print the line for a users file
  webtrunk --help | --version

Exit codes: 0 all right, 1 it could not run or ended by a defect, 2 wrong usage or configuration.
Signals: SIGTERM and SIGINT let calls end (at most a minute); a second one ends them at once. 
SIGHUP reads the configuration again.
`;

/** Wrong use of the command line; the message says what was wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
