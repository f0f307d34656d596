using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Every event of the service; ids are stable: 1000 checks, 2000 healing, 3000 snapshots, 4000 sessions, 5000 jobs, 6000 alerts.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Warning, "Target {Target}: {Fault} at {Place}: {Evidence}")]
    public static partial void Found(ILogger log, string target, string fault, string place, string evidence);

    [LoggerMessage(2001, LogLevel.Information, "Case {Case} of target {Target}: {Outcome} {Reason}")]
    public static partial void Ended(ILogger log, string @case, string target, string outcome, string? reason);

    [LoggerMessage(2002, LogLevel.Warning, "Case {Case}: no line in the patient's kintsugi.audit_log: {Problem}")]
    public static partial void NotAudited(ILogger log, string @case, string problem);

    [LoggerMessage(4001, LogLevel.Error, "Target {Target} cannot be examined now; the others go on: {Problem}")]
    public static partial void Unreachable(ILogger log, string target, string problem);

    [LoggerMessage(5001, LogLevel.Error, "Job {Job} of target {Target} failed")]
    public static partial void JobFailed(ILogger log, Exception problem, string job, string target);

    [LoggerMessage(5002, LogLevel.Information, "The configuration was read again from {File}")]
    public static partial void Reloaded(ILogger log, string? file);

    [LoggerMessage(5003, LogLevel.Error, "The configuration was not taken, the old one holds: {Mistakes}")]
    public static partial void ReloadRefused(ILogger log, string mistakes);

    [LoggerMessage(5004, LogLevel.Information, "Job {Job} of target {Target}: {Message}")]
    public static partial void JobEnded(ILogger log, string job, string target, string message);

    [LoggerMessage(5005, LogLevel.Error, "The service's own files could not be used; it goes on and tries again")]
    public static partial void BeatMissed(ILogger log, Exception problem);

    [LoggerMessage(5006, LogLevel.Information, "{Verb} {Job} on {Target}, asked for by {By}")]
    public static partial void Asked(ILogger log, string verb, string job, string target, string by);

    [LoggerMessage(5007, LogLevel.Warning, "{Verb} {Job} cannot be done: {Problem}")]
    public static partial void Refused(ILogger log, string verb, string job, string problem);

    [LoggerMessage(5008, LogLevel.Warning, "ledger, logging and http: listen are read at the start only: what changed there holds after the next one")]
    public static partial void NeedsRestart(ILogger log);

    [LoggerMessage(5101, LogLevel.Warning, "Units of other nodes' looks could not be taken or answered now; it is tried again")]
    public static partial void HelpMissed(ILogger log, Exception problem);

    [LoggerMessage(5102, LogLevel.Warning, "This node cannot help with a look at target {Target}; the node that leads it goes on: {Problem}")]
    public static partial void NoHelp(ILogger log, string target, string problem);

    [LoggerMessage(5103, LogLevel.Information, "A unit of {Check} on target {Target} is not this node's any more: it is left where it is")]
    public static partial void HelpNotWanted(ILogger log, string target, string check);

    [LoggerMessage(6001, LogLevel.Warning, "Alert {Key} is {State}: {Text}")]
    public static partial void Alerted(ILogger log, string key, string state, string text);

    [LoggerMessage(6002, LogLevel.Warning, "Receiver {Receiver} did not take a message (attempt {Attempt}): {Problem}")]
    public static partial void NotDelivered(ILogger log, string receiver, int attempt, string problem);

    [LoggerMessage(6003, LogLevel.Error, "Receiver {Receiver} will not get a message ({Problem}): {Body}")]
    public static partial void GivenUp(ILogger log, string receiver, string problem, string body);

    [LoggerMessage(6004, LogLevel.Warning, "The watcher of alerts: dead_man was not reached: {Problem}")]
    public static partial void NotPinged(ILogger log, string problem);
}
