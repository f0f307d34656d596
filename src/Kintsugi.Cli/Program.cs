using Kintsugi.Cli;
using Kintsugi.Cli.Runtime;

using var stop = new CancellationTokenSource();
// The first Ctrl-C cancels on the server too and tidies up; a second one is the terminal's own.
ConsoleCancelEventHandler onCancel = (_, press) =>
{
    press.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
};
Console.CancelKeyPress += onCancel;
using var term = System.Runtime.InteropServices.PosixSignalRegistration.Create(
    System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
    {
        signal.Cancel = true;
        stop.Cancel();
    });
return await Application.Run(args, CliContext.OfThisProcess(), stop.Token);
