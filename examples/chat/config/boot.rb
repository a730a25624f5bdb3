# frozen_string_literal: true

require_relative "gems"

Gems.setup(File.expand_path("../Gemfile", __dir__))
