# frozen_string_literal: true

require_relative "lib/cablestay/version"

Gem::Specification.new do |spec|
  spec.name = "cablestay"
  spec.version = Cablestay::VERSION
  spec.authors = [ "The Cablestay authors" ]
  spec.summary = "Lets Cablestay hold an app's Action Cable sockets, with its connection and channels unchanged"
  spec.description = "The Rails end of Cablestay: runs the app's own Action Cable connection and channels for a " \
    "bridge that holds the WebSockets, through the app's own middleware, and answers with what they did."
  spec.homepage = "https://github.com/cablestay/cablestay"
  spec.license = "MIT"
  spec.required_ruby_version = ">= 2.7"
  spec.files = Dir["lib/**/*", "README.md", base: __dir__]
  spec.metadata = { "source_code_uri" => "https://github.com/cablestay/cablestay/tree/main/rpc/rails",
    "rubygems_mfa_required" => "true" }

  spec.add_dependency "actioncable", ">= 6.1"
  spec.add_dependency "jwt", ">= 2"
end
