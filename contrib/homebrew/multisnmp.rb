# Homebrew's formula of multisnmp. It was not run on macOS: its syntax is checked, and that it asks for what
# ./bootstrap asks for. There is no published release yet, so `url` is a place on this machine: put there what
# `make dist` makes, or write your own address and checksum. Then, in a tap of your own:
#
#   brew tap-new local/snmp && cp multisnmp.rb "$(brew --repository local/snmp)/Formula/"
#   brew install --build-from-source local/snmp/multisnmp
class Multisnmp < Formula
  desc "Asynchronous SNMP poller for many devices at once"
  homepage "file:///usr/local/src/"
  url "file:///usr/local/src/multisnmp-0.1.0.tar.xz"
  license "BSD-2-Clause"

  depends_on "pkgconf" => :build
  depends_on "c-ares"
  depends_on "libyaml"
  depends_on "net-snmp"
  depends_on "openssl@3"
  depends_on "rabbitmq-c"

  def install
    system "./configure", "--disable-silent-rules", "--sysconfdir=#{etc}", "--localstatedir=#{var}", *std_configure_args
    system "make", "install"
    (var/"multisnmp").mkpath
  end

  service do
    run [opt_bin/"multisnmp", "-f", etc/"multisnmp/multisnmp.yaml", "--deadline", "50s",
         "-F", "jsonl", "-o", var/"multisnmp/now.jsonl"]
    run_type :interval
    interval 60
    error_log_path var/"multisnmp/multisnmp.log"
  end

  def caveats
    <<~EOS
      Copy #{etc}/multisnmp/multisnmp.yaml.sample to multisnmp.yaml beside it, put your devices in, and try
        multisnmp --check
      before `brew services start multisnmp`.
    EOS
  end

  test do
    (testpath/"nobody.yaml").write "hosts: []\n"
    assert_equal "", shell_output("#{bin}/multisnmp -f nobody.yaml")
    # nothing listens on the port of that name
    assert_match '"status":', shell_output("#{bin}/multisnmp -F jsonl -t 100ms -r 0 127.0.0.1:9", 1)
  end
end
