# app/channels/concerns/validatable.rb

module Validatable
  extend ActiveSupport::Concern

  private

  def validate_params(data, schema)
    errors = []
    
    schema.each do |field, rules|
      value = data[field.to_s]
      
      if rules[:required] && value.blank?
        errors << "#{field} is required"
      end
      
      if rules[:type] && value.present?
        unless value.is_a?(rules[:type])
          errors << "#{field} must be a #{rules[:type]}"
        end
      end
      
      if rules[:max_length] && value.is_a?(String)
        if value.length > rules[:max_length]
          errors << "#{field} exceeds maximum length of #{rules[:max_length]}"
        end
      end
      
      if rules[:allowed_values] && value.present?
        unless rules[:allowed_values].include?(value)
          errors << "#{field} must be one of: #{rules[:allowed_values].join(', ')}"
        end
      end
    end
    
    if errors.any?
      transmit(error: errors.join('; '))
      return false
    end
    
    true
  end
end
