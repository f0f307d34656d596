using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>Tells a watcher outside after each finished look that Kintsugi is alive: the watcher shouts when it hears nothing.</summary>
internal sealed class DeadMan(OutsideWorld outside, ConfigurationSource configuration, ILogger<DeadMan> log)
{
    public async ValueTask Ping(CancellationToken cancellationToken)
    {
        if (configuration.Current.Alerts.DeadMan is not { } url)
            return;
        try
        {
            using var answer = await outside.Http.GetAsync(new Uri(url.Reveal()), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                Log.NotPinged(log, $"HTTP {(int)answer.StatusCode}");
        }
        catch (Exception problem) when (problem is HttpRequestException || (problem is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Never repeated later: a late sign of life would be a false one.
            Log.NotPinged(log, problem.GetType().Name);
        }
    }
}
