# frozen_string_literal: true

# Checks an action's data against a schema before the action trusts it:
#
#   MESSAGE = { content: { required: true, type: String, max_length: 100 } }.freeze
#
#   def send_message(data)
#     return unless valid_data?(data, MESSAGE)
#
# What is wrong is transmitted to the client, all of it at once.
module Validatable
  extend ActiveSupport::Concern

  private
    def valid_data?(data, schema)
      errors = schema.flat_map { |field, rules| errors_in(field, data[field.to_s], rules) }
      transmit_error errors.join("; ") if errors.any?
      errors.none?
    end

    def errors_in(field, value, rules)
      return rules[:required] ? [ "#{field} is required" ] : [] if missing?(value)
      return [ "#{field} must be #{type_names(rules[:type])}" ] if rules[:type] && Array(rules[:type]).none? { |type| type === value }

      errors = []
      if rules[:max_length] && value.length > rules[:max_length]
        errors << "#{field} is longer than #{rules[:max_length]}"
      end
      if rules[:of] && !value.all?(rules[:of])
        errors << "#{field} must hold only #{type_names(rules[:of])}"
      end
      if rules[:allowed_values] && !rules[:allowed_values].include?(value)
        errors << "#{field} must be one of: #{rules[:allowed_values].join(", ")}"
      end
      errors
    end

    def missing?(value)
      value.nil? || (value.respond_to?(:empty?) && value.empty?) || (value.is_a?(String) && value.blank?)
    end

    def type_names(types)
      Array(types).map(&:name).join(" or ")
    end
end
