# frozen_string_literal: true

require "minitest/autorun"
require_relative "app"
require "rails/test_help"
require "action_cable/test_helper"
Dir[File.join(__dir__, "minitest/*_test.rb")].sort.each { |file| require file }
