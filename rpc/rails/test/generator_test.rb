# frozen_string_literal: true

require "rails/generators"
require "generators/cablestay/install/install_generator"

class GeneratorTest < ActiveSupport::TestCase
  setup { @folder = Dir.mktmpdir("cablestay-generator") }
  teardown { FileUtils.remove_entry(@folder) }

  test "an app without config/cable.yml gets one, with Redis where the bridge runs" do
    generate
    written = ActiveSupport::ConfigurationFile.parse(File.join(@folder, "config/cable.yml"))

    assert_equal({ "adapter" => "test" }, written["test"])
    assert_equal [ "redis", "dummy_production" ], written["production"].values_at("adapter", "channel_prefix")
  end

  test "what is there stays as it is, however often it is run" do
    FileUtils.mkdir_p(File.join(@folder, "config"))
    File.write(File.join(@folder, "config/cable.yml"), "mine: true\n")
    2.times { generate }

    assert_equal "mine: true\n", File.read(File.join(@folder, "config/cable.yml"))
    assert_equal [ "config/cable.yml" ], Dir[File.join(@folder, "**/*")].select { |path| File.file?(path) }.map { |path| path.delete_prefix("#{@folder}/") }
  end

  test "it says what comes next, without the secret" do
    out = generate

    assert_includes out, "bin/rails cablestay:secret"
    assert_includes out, "Send /cable there"
    assert_not_includes out, Cablestay::Secret.shared
  end

  test "an adapter that the bridge can't hear is noted" do
    before = ActionCable.server.config.cable
    ActionCable.server.config.cable = { "adapter" => "async" }

    assert_match(/adapter: async for production\. The bridge hears broadcasts through Redis/, generate)
  ensure
    ActionCable.server.config.cable = before
  end

  private
    def generate
      out, = capture_io { Cablestay::Generators::InstallGenerator.start([], destination_root: @folder) }
      out
    end
end
